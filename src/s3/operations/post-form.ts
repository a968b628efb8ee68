import type { HttpResponse } from '../../http.ts'
import type { Caller, FormFields } from '../access-port.ts'
import { authorize, openBucket, storedTags, writeFacts } from '../accesses.ts'
import { assertObjectKey, hasControlCharacter } from '../address.ts'
import { verifiedBody } from '../body.ts'
import type { BucketCall, ObjectCall } from '../call.ts'
import { readForm } from '../form.ts'
import type { Form } from '../form.ts'
import { assertForm, assertLength, lengthRange, parseFormPolicy } from '../form-policy.ts'
import type { FormPolicy } from '../form-policy.ts'
import { checksumHeaders, parseIntegrity } from '../integrity.ts'
import { parseObjectAttributes, refuseUnserved } from '../object-attributes.ts'
import type { ObjectAttributes, OriginResponse } from '../origin.ts'
import { headerOfUtf8 } from '../request-fields.ts'
import { locationOf, quoted, versionHeaders } from '../responses.ts'
import { invalidArgument, S3Error } from '../s3-error.ts'
import { parseTagging } from '../tags.ts'
import { parseXml } from '../xml-parse.ts'
import { element } from '../xml.ts'
import { writeAccesses } from './write-object.ts'

/** PostObject: a browser's form upload; its credentials and its own policy are fields of it. */
export async function postForm(call: BucketCall): Promise<HttpResponse> {
  const contentType = call.fields.headers.get('content-type') ?? ''
  if (!/^multipart\/form-data\s*;/i.test(contentType)) {
    throw new S3Error(
      'method_not_allowed',
      'The specified method is not allowed against this resource.',
      { detail: { method: 'POST', resourceType: 'BUCKET', allow: 'GET, HEAD, PUT, DELETE' } },
    )
  }
  if (call.caller.kind !== 'anonymous') {
    throw invalidArgument('Authorization', '', 'Only one auth mechanism allowed')
  }
  // Who asks is told by the form, so it has to be read that far.
  call.request.proceed()
  const form = await readForm(call.request.body, contentType)
  // What ends is judged when the form is here: a request that began in time may have waited for its fields since.
  const request = { ...call.request, receivedAt: call.face.options.clock() }
  try {
    return await storeForm({ ...call, request }, form)
  } finally {
    form.abandon()
  }
}

async function storeForm(call: BucketCall, form: Form): Promise<HttpResponse> {
  const caller = await authenticate(call, form.fields)
  const policy = parsePolicyField(form.fields)
  const key = formKey(form)
  const values = new Map([...form.fields, ['key', key], ['bucket', call.bucket]])
  if (policy !== undefined) assertForm(policy, values, call.request.receivedAt)
  const headers = asHeaders(call, form.fields)
  const upload = {
    ...call,
    caller,
    key,
    fields: { headers, parameters: new Map<string, string>() },
  }
  const finish = parseSuccess(form.fields)
  return finish(upload, await store(upload, form, policy))
}

const signedFields = [
  'policy',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-signature',
] as const

async function authenticate(call: BucketCall, fields: FormFields): Promise<Caller> {
  if (fields.has('awsaccesskeyid') || fields.has('signature')) {
    throw new S3Error(
      'invalid_request',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    )
  }
  if (!signedFields.some((name) => fields.has(name))) {
    if (!fields.has('x-amz-security-token')) return call.caller
    throw new S3Error('form_condition_unmet', 'A session token needs a signature.')
  }
  for (const name of signedFields) {
    if (!fields.get(name)) {
      throw invalidArgument(name, '', `Bucket POST must contain a field named '${name}'.`)
    }
  }
  return await call.face.options.access.authenticateForm(fields, call.request)
}

function parsePolicyField(fields: FormFields): FormPolicy | undefined {
  const policy = fields.get('policy')
  return policy === undefined ? undefined : parseFormPolicy(policy)
}

/** The key with `${filename}` replaced by the base name of the uploaded file. */
function formKey(form: Form): string {
  const template = form.fields.get('key')
  if (!template) {
    throw invalidArgument('key', '', "Bucket POST must contain a field named 'key'.")
  }
  const name = form.filename.split(/[/\\]/).at(-1) ?? ''
  const key = template.replaceAll('${filename}', () => name)
  assertObjectKey(key)
  return key
}

/** The form's fields under the names that the same values have as headers of a PUT. */
function asHeaders(call: BucketCall, fields: FormFields): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  const host = call.fields.headers.get('host')
  if (host !== undefined) headers.set('host', host)
  for (const [name, value] of fields) {
    const known = headerName(name)
    if (known === undefined) continue
    if (hasControlCharacter(value)) {
      throw invalidArgument(name, '', 'Control characters are not allowed here.')
    }
    headers.set(known, headerOfUtf8(value))
  }
  return headers
}

const headerFields: ReadonlySet<string> = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'content-type',
  'expires',
])

const credentialField = /^x-amz-(?:algorithm|credential|date|signature|security-token|tagging)$/

function headerName(field: string): string | undefined {
  if (field === 'acl') return 'x-amz-acl'
  if (headerFields.has(field)) return field
  return field.startsWith('x-amz-') && !credentialField.test(field) ? field : undefined
}

function parseAttributes(headers: ReadonlyMap<string, string>, tagging?: string): ObjectAttributes {
  const attributes = parseObjectAttributes(headers)
  if (tagging === undefined || tagging === '') return attributes
  return { ...attributes, tags: parseTagging(parseXml(Buffer.from(tagging, 'utf8'))) }
}

type Stored = OriginResponse<'PutObject'>

async function store(call: ObjectCall, form: Form, policy?: FormPolicy): Promise<Stored> {
  const { headers } = call.fields
  refuseUnserved(headers)
  const attributes = parseAttributes(headers, form.fields.get('tagging'))
  const integrity = parseIntegrity(headers, false)
  const open = await openBucket(call)
  const facts = {
    ...writeFacts(call),
    ...(await storedTags(call, open, call.key)),
    ObjectCreationOperation: true,
  }
  await authorize(call, writeAccesses(call, open, call.key, { attributes, conditions: {}, facts }))
  const range = lengthRange(policy)
  const body = verifiedBody(form.file, {
    integrity,
    kept: integrity.checksum?.algorithm ?? 'CRC64NVME',
    size: undefined,
    maxBytes: Math.min(range.max, call.face.options.maxObjectBytes),
    assertSize: (size) => assertLength(range, size),
  })
  return await call.face.options.origin.handle('PutObject', {
    bucket: call.bucket,
    key: call.key,
    body,
    attributes,
    conditions: {},
  })
}

type Finish = (call: ObjectCall, stored: Stored) => HttpResponse

/** What the form wants to see after success; parsed before anything is stored. */
function parseSuccess(fields: FormFields): Finish {
  const redirect = fields.get('success_action_redirect') ?? fields.get('redirect')
  if (redirect !== undefined && redirect !== '') {
    const target = parseRedirect(redirect)
    return (call, stored) => redirectTo(target, call, stored)
  }
  const status = fields.get('success_action_status')
  if (status === '201') return created
  return (call, stored) => ({
    status: status === '200' ? 200 : 204,
    headers: {
      ...storedHeaders(call, stored),
      ...(status === '200' ? { 'content-length': '0' } : {}),
    },
  })
}

function parseRedirect(text: string): URL {
  const target = URL.parse(text)
  if (target?.protocol === 'http:' || target?.protocol === 'https:') return target
  throw invalidArgument('success_action_redirect', text, 'The redirect must be http or https.')
}

function redirectTo(target: URL, call: ObjectCall, stored: Stored): HttpResponse {
  const location = new URL(target)
  location.searchParams.append('bucket', call.bucket)
  location.searchParams.append('key', call.key)
  location.searchParams.append('etag', quoted(stored.etag))
  return { status: 303, headers: { ...storedHeaders(call, stored), location: location.href } }
}

function created(call: ObjectCall, stored: Stored): HttpResponse {
  const body = [
    '<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>',
    element('Location', locationOf(call, call.bucket, call.key)),
    element('Bucket', call.bucket),
    element('Key', call.key),
    element('ETag', quoted(stored.etag)),
    '</PostResponse>',
  ].join('')
  const headers = { ...storedHeaders(call, stored), 'content-type': 'application/xml' }
  return { status: 201, headers, body }
}

function storedHeaders(call: ObjectCall, stored: Stored): Record<string, string> {
  return {
    etag: quoted(stored.etag),
    location: locationOf(call, call.bucket, call.key),
    ...versionHeaders(stored),
    ...checksumHeaders(stored.checksum),
  }
}
