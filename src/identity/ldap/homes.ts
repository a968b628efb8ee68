import { BoundedCache } from '../../bounded-cache.ts'
import { isWithin, normaliseDn } from './dn.ts'
import { parseDirectory, type LdapDirectory } from './settings.ts'

const mostRemembered = 50_000

/**
 * The directory that a normalised name is taken for when nobody says: the first below one of whose bases it lies, and the
 * first of all when it lies nowhere. There has to be one.
 */
export function createLdapHomes(directories: readonly LdapDirectory[]): (name: string) => string {
  const places = directories.map(parseDirectory).map(({ name, userBases, groupBases }) => ({
    directory: name,
    bases: [...userBases, ...groupBases].map(normaliseDn),
  }))
  // Asked for every group of everybody who sends a request.
  const known = new BoundedCache<string>(mostRemembered)
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const place = places.find(({ bases }) => bases.some((base) => isWithin(name, base)))
    const home = (place ?? places[0])?.directory
    if (home === undefined) throw new TypeError('there is no directory')
    known.set(name, home)
    return home
  }
}
