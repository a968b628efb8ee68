import type { CompiledPolicy } from '../compiled-policy.ts'
import type { Listed, Statement } from '../document.ts'
import { malformed, shown } from '../errors.ts'
import { resolvePathPart, withPlainPartition } from '../resource.ts'
import { resolveVariable } from '../template.ts'
import type { Budget } from './budget.ts'
import { fillIn, type Reader } from './fill-in.ts'
import { codesOfText, everyGlob, globOf, isEvery, isOpen, literalGlob, type Glob } from './glob.ts'
import { plainNames, trimNames } from './names.ts'
import type { Names, Place, Places, Rule, Term } from './narrow-types.ts'
import { everywhere, isEverywhere, isNowhere, placeOf, simplifyPlaces } from './places.ts'
import { readTerms } from './terms.ts'
import { anyOne, anyRun } from '../wildcard.ts'

/** The services that a target is asked about with the credentials that it hands out. */
const services = {
  // sessions of MinIO may not ask its STS, and it has no IAM query API
  minio: ['admin', 'kms', 's3'],
  aws: ['iam', 'kms', 's3', 'sts'],
} as const

/**
 * The statements of one document as rules that no longer speak of the person.
 * @param origin names the document in messages: `policy "web" of binding shop/web`
 * @throws PolicyError for what cannot be decided here and cannot be left to the target
 */
export function readRules(
  { document }: CompiledPolicy,
  reader: Reader,
  origin: string,
  budget: Budget,
): readonly Rule[] {
  const variables = document.version === '2012-10-17'
  return document.statements.flatMap((statement) => {
    const at = `${origin}, ${statement.path}`
    const places = readPlaces(statement, variables, reader, at, budget)
    if (places === undefined) return []
    const terms = readTerms(statement.conditions, variables, reader, at, budget)
    if (terms === undefined) return []
    return spread(statement, places, terms, reader, at, budget)
  })
}

/** `undefined`: it never matches, whatever the service. An empty list matches no resource (`resource.ts` has the rules). */
function readPlaces(
  { resource, effect }: Statement,
  variables: boolean,
  reader: Reader,
  origin: string,
  budget: Budget,
): Places | undefined {
  if (resource === undefined) return everywhere
  const { negated, values } = resource
  const resolve = effect === 'Deny' && !negated ? resolveVariable : resolvePathPart
  const path = `${origin}.${negated ? 'NotResource' : 'Resource'}`
  const globs: Place[] = []
  for (const value of values) {
    const glob = readPlace(value, variables, reader, resolve, path)
    if (negated && effect === 'Allow' && glob !== undefined && isOpen(glob)) {
      throw malformed(path, `a variable of the request in ${shown(value)} cannot be intersected`)
    }
    if (glob !== undefined) globs.push(glob)
    // an Allow that spares a place which nobody can name must not reach it
    else if (negated && effect === 'Allow') return undefined
  }
  const places = simplifyPlaces({ negated, globs }, budget)
  if (!negated) return places
  if (isNowhere(places)) return undefined
  return globs.length === 0 ? everywhere : places
}

function readPlace(
  value: string,
  variables: boolean,
  reader: Reader,
  resolve: typeof resolveVariable,
  path: string,
): Place | undefined {
  if (value === '*') return placeOf([anyRun])
  const text = withPlainPartition(value)
  if (text !== value && reader.dialect === 'aws') {
    throw malformed(path, `${shown(value)}: only the partition "aws" can be intersected`)
  }
  const isS3 = text.startsWith(s3Prefix)
  const glob = fillIn(
    isS3 ? text.slice(s3Prefix.length) : text,
    { wildcards: true, variables },
    reader,
    (variable, ask) => {
      const filled = resolve(variable, ask)
      if (isS3 || filled?.includes(':') !== true) return filled
      throw malformed(path, `the value of ${shown(variable.name)} has a colon: it splits the ARN`)
    },
    path,
  )
  return glob && placeOf(isS3 ? [...codesOfText(s3Prefix), ...glob.codes] : glob.codes)
}
const s3Prefix = 'arn:aws:s3:::'

/** One rule for each service, since resources mean something else in each. A Deny for AWS stays as it is. */
function spread(
  { effect, action }: Statement,
  places: Places,
  terms: readonly Term[],
  { dialect }: Reader,
  origin: string,
  budget: Budget,
): readonly Rule[] {
  if (effect === 'Deny' && dialect === 'aws') {
    return wholeDeny(action, places, budget).map((rule) => ({ ...rule, terms, origin }))
  }
  return services[dialect].flatMap((service) => {
    const { named, whole } = namesOf(service, action, budget)
    const context = { service, effect, dialect, origin, budget }
    const reached = [
      { names: named, places: named.patterns.length > 0 && placesOfNamed(places, context) },
      { names: whole, places: whole.patterns.length > 0 && placesOfWhole(places, context) },
    ]
    return reached.flatMap(({ names, places: at }) =>
      at && !isNowhere(at) ? [{ effect, service, names, places: at, terms, origin }] : [],
    )
  })
}

function wholeDeny(
  action: Listed,
  places: Places,
  budget: Budget,
): readonly Pick<Rule, 'effect' | 'service' | 'names' | 'places'>[] {
  const deny = { effect: 'Deny', service: undefined } as const
  const globs = globsOf(action)
  if (action.negated) {
    const { patterns: except } = plainNames(globs, budget)
    if (isNowhere(places) || except.some(isEvery)) return []
    return [{ ...deny, names: { patterns: [everyGlob], except }, places }]
  }
  const [whole, named] = [globs.filter(isEvery), globs.filter((glob) => !isEvery(glob))]
  // a bare `*` is bound by its resource and kms: is not, so neither says what the other says
  const rules = [
    { ...deny, names: plainNames(whole, budget), places },
    isNowhere(places)
      ? { ...deny, names: plainNames(named.filter(isFree), budget), places: everywhere }
      : { ...deny, service: 'several', names: plainNames(named, budget), places },
  ]
  return rules.filter((rule) => rule.names.patterns.length > 0 && !isNowhere(rule.places))
}

/** Actions that a Deny means whatever its resource, even one that has no value for this person. */
function isFree({ key }: Glob): boolean {
  return /^(?:kms|sts):/.test(key)
}

function globsOf(action: Listed): readonly Glob[] {
  return action.values.map((value) => {
    const lower = value.toLowerCase()
    return lower === '*:*' ? everyGlob : actionGlob(lower)
  })
}

function actionGlob(lower: string): Glob {
  if (!/[*?]/.test(lower)) return literalGlob(lower)
  return globOf(
    codesOfText(lower).map((code) => (code === 0x2a ? anyRun : code === 0x3f ? anyOne : code)),
  )
}

/** What a list means in one service: `named` by its entries, `whole` by a bare `*` or as what `NotAction` leaves. */
function namesOf(
  service: string,
  action: Listed,
  budget: Budget,
): Readonly<{ named: Names; whole: Names }> {
  const globs = globsOf(action)
  const prefix = literalGlob(`${service}:`).key
  const listed = globs.filter(({ key }) => key.startsWith(prefix))
  const everything = actionGlob(`${service}:*`)
  if (action.negated) {
    const except = globs.some(isEvery) ? [everything] : listed
    const whole = trimNames({ patterns: [everything], except }, budget)
    return { named: plainNames([], budget), whole }
  }
  const whole = plainNames(globs.some(isEvery) ? [everything] : [], budget)
  return { named: plainNames(listed, budget), whole }
}

type InDialect = Readonly<{
  service: string
  effect: 'Allow' | 'Deny'
  dialect: 'minio' | 'aws'
  origin: string
  budget: Budget
}>

/** Where a statement reaches that names actions of the service (`compile.ts`: administration has no resources). */
function placesOfNamed(places: Places, context: InDialect): Places | undefined {
  const { service, effect, dialect, origin } = context
  if (service === 's3') return s3Places(places, context.budget)
  if (dialect === 'aws' && (service === 'iam' || !isNowhere(places))) return places
  if (places.negated || effect === 'Deny') return everywhere
  if (isNowhere(places)) {
    throw malformed(
      origin,
      `allows ${service}: actions on a resource that has no value for this person`,
    )
  }
  const s3 = s3Places(places, context.budget)
  if (s3 !== undefined && !isNowhere(s3)) return service === 'kms' ? everywhere : s3
  throw malformed(origin, `MinIO would not take these resources for ${service}: actions`)
}

/** Where a bare `*` or a NotAction reaches in the service: it stays bound by its resource. */
function placesOfWhole(places: Places, context: InDialect): Places | undefined {
  if (context.service === 's3') return s3Places(places, context.budget)
  if (places.negated) return context.dialect === 'aws' ? places : everywhere
  if (isEverywhere(places)) return everywhere
  if (context.dialect === 'minio' || places.globs.every(isS3Place)) return undefined
  throw malformed(
    context.origin,
    'names resources of other services with every action: name the actions as well',
  )
}

/** The S3 part of resources; every bucket and object together are the same as a bare `*`. */
function s3Places({ negated, globs }: Places, budget: Budget): Places | undefined {
  const s3 = globs.filter((glob) => isEvery(glob) || isS3Place(glob))
  if (s3.some(isWholeS3)) return negated ? undefined : everywhere
  if (s3.length === 0) return negated ? everywhere : undefined
  return simplifyPlaces({ negated, globs: s3 }, budget)
}

function isS3Place({ key }: Glob): boolean {
  return key.startsWith(s3Prefix)
}

function isWholeS3(place: Place): boolean {
  return isEvery(place) || place.key === `${s3Prefix}*`
}
