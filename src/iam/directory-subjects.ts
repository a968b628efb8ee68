import type { Attachment, LdapSubject } from '../admin/index.ts'
import { IamError } from './iam-error.ts'
import type { ActionContext, LdapDirectories } from './types.ts'

/** People and groups of directory services, as administration names them. */

export function isOfDirectory(subject: Attachment['subject']): subject is LdapSubject {
  return subject.kind === 'ldap-user' || subject.kind === 'ldap-group'
}

/** Tells every two apart. */
export function subjectTag(subject: Attachment['subject']): string {
  const tag = `${subject.kind} ${subject.name}`
  const directory = isOfDirectory(subject) ? subject.directory : undefined
  return directory === undefined ? tag : `${tag} of ${directory}`
}

/** Where there is but one directory, nobody has to say which. */
export function directoryOf(
  { directory }: LdapSubject,
  directories: LdapDirectories | undefined,
): string | undefined {
  return directory ?? (directories?.names.length === 1 ? directories.names[0] : undefined)
}

/**
 * Two spellings of one name are one name, for otherwise a Deny could be written past the person that it is for.
 * @throws IamError `not_supported` where there is no directory, `invalid_parameter` for what is no distinguished name
 */
export function directorySubject(
  given: Readonly<{
    PrincipalKind: LdapSubject['kind']
    PrincipalName: string
    Directory: string | undefined
  }>,
  { directories }: Pick<ActionContext, 'directories'>,
): LdapSubject {
  if (!directories) {
    throw new IamError('not_supported', 'This server knows no names of a directory service')
  }
  const name = normalise(given.PrincipalName, directories)
  return { kind: given.PrincipalKind, name, directory: given.Directory ?? directories.homeOf(name) }
}

function normalise(text: string, directories: LdapDirectories): string {
  try {
    return directories.normaliseDn(text)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new IamError('invalid_parameter', `PrincipalName: ${cause.message}`, { cause })
  }
}
