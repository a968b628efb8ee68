import {
  AndFilter,
  ApproximateFilter,
  EqualityFilter,
  ExtensibleFilter,
  FilterParser,
  GreaterThanEqualsFilter,
  LessThanEqualsFilter,
  NotFilter,
  OrFilter,
  PresenceFilter,
  SubstringFilter,
  type Filter,
} from 'ldapts'

/** What stands in for the placeholders: `%s` the login name, `%d` the distinguished name of the user. */
export type FilterValues = Readonly<{ s?: string; d?: string }>

/** A configured search filter, parsed once. Values enter the parsed form, so none of them can be read as syntax. */
export type FilterTemplate = Readonly<{
  /** Each placeholder becomes the value, letter by letter; `*` in it is a star and no wildcard. */
  forUser(values: FilterValues): Filter
  /** The same filter for anybody: where the login name would be compared, there must be some value. */
  forAnybody(): Filter
}>

type Rules = Readonly<{
  /** Which placeholders may stand in it; at least one has to. */
  placeholders: readonly ('s' | 'd')[]
  /** Compare with the user's name by Active Directory's rule that follows groups in groups. */
  nested?: boolean
}>

/** Active Directory's `LDAP_MATCHING_RULE_IN_CHAIN` ([MS-ADTS] 3.1.1.3.4.4.3). */
const inChain = '1.2.840.113556.1.4.1941'
const longestFilter = 4096
const deepestFilter = 16

/**
 * Reads a filter of RFC 4515 with placeholders where values stand.
 * @throws {TypeError} when it is none, lacks a placeholder, or has one where it may not be
 */
export function parseFilterTemplate(text: string, rules: Rules): FilterTemplate {
  checkPlaceholders(text, rules)
  const parsed = parse(text)
  const template = rules.nested === true ? followGroups(parsed) : parsed
  checkEachIsAValue(template, text)
  return {
    forUser: (values) => rewrite(template, (value) => fillIn(value, values)),
    forAnybody: () => rewrite(template, (value) => (/%s/.test(value) ? undefined : value)),
  }
}

function checkPlaceholders(text: string, { placeholders }: Rules): void {
  const found = new Set(text.match(/%[a-z]/g))
  const strange = [...found].find((one) => !placeholders.some((name) => one === `%${name}`))
  if (strange !== undefined) throw new TypeError(`${strange} has no meaning in this filter`)
  if (found.size === 0) {
    throw new TypeError(`the filter needs ${placeholders.map((name) => `%${name}`).join(' or ')}`)
  }
}

function parse(text: string): Filter {
  if (text.length > longestFilter) throw new TypeError('the filter is too long')
  const count = (pattern: RegExp) => (text.match(pattern) ?? []).length
  // The library forgives a parenthesis that is never closed.
  if (count(/\(/g) !== count(/\)/g)) throw new TypeError('the filter has unbalanced parentheses')
  if (count(/\((?=[&|!])/g) > deepestFilter * 4) throw new TypeError('the filter is too deep')
  try {
    return FilterParser.parseString(decodeLetters(text.trim()))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unreadable'
    throw new TypeError(`no LDAP filter: ${reason}`, { cause })
  }
}

/** The library takes each escaped byte for a letter; letters of several bytes are none of the filter's syntax. */
function decodeLetters(text: string): string {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  return text.replaceAll(/(?:\\[89a-f][0-9a-f])+/gi, (escaped) =>
    utf8.decode(Buffer.from(escaped.replaceAll('\\', ''), 'hex')),
  )
}

/** A placeholder that is no value (`\25s` is none in the text, but would be one when parsed) is a mistake. */
function checkEachIsAValue(template: Filter, text: string): void {
  let seen = 0
  rewrite(template, (value) => {
    seen += (value.match(/%[sd]/g) ?? []).length
    return value
  })
  const written = (text.match(/%[sd]/g) ?? []).length
  if (seen !== written) throw new TypeError('%s and %d can only stand where a value stands')
}

// One pass over the template: what was filled in is never looked at again.
function fillIn(value: string, values: FilterValues): string {
  return value.replaceAll(/%([sd])/g, (_, name: string) => {
    const filled = name === 's' ? values.s : values.d
    if (filled === undefined || filled === '') throw new TypeError(`nothing to put for %${name}`)
    return filled
  })
}

function followGroups(filter: Filter): Filter {
  let changed = 0
  const follow = (filter: Filter): Filter => {
    if (!(filter instanceof EqualityFilter) || filter.value !== '%d') return descend(filter, follow)
    changed += 1
    return new ExtensibleFilter({ matchType: filter.attribute, rule: inChain, value: '%d' })
  }
  const followed = follow(filter)
  if (changed > 0) return followed
  throw new TypeError('nested groups need a comparison with %d, such as (member=%d)')
}

/** Makes the filter anew with other values; `undefined` asks for presence instead of a value. */
function rewrite(filter: Filter, change: (value: string) => string | undefined): Filter {
  if (filter instanceof SubstringFilter) return rewriteSubstrings(filter, change)
  if (filter instanceof ExtensibleFilter) return rewriteExtensible(filter, change)
  const Comparison = comparisons.find((kind) => filter instanceof kind)
  if (Comparison === undefined) return descend(filter, (inner) => rewrite(inner, change))
  const { attribute, value: old } = filter as EqualityFilter // oxlint-disable-line no-unsafe-type-assertion -- all four have this shape
  const value = change(String(old))
  if (value === undefined) return new PresenceFilter({ attribute })
  return new Comparison({ attribute, value })
}

const comparisons = [
  EqualityFilter,
  ApproximateFilter,
  GreaterThanEqualsFilter,
  LessThanEqualsFilter,
] as const

function rewriteSubstrings(
  filter: SubstringFilter,
  change: (value: string) => string | undefined,
): Filter {
  const { attribute } = filter
  const [initial, final] = [change(filter.initial), change(filter.final)]
  const any = filter.any.map(change)
  const isText = (part: string | undefined): part is string => part !== undefined
  if (!isText(initial) || !isText(final) || !any.every(isText)) {
    return new PresenceFilter({ attribute })
  }
  return new SubstringFilter({ attribute, initial, any, final })
}

function rewriteExtensible(
  filter: ExtensibleFilter,
  change: (value: string) => string | undefined,
): Filter {
  const { matchType, rule, dnAttributes } = filter
  const value = change(filter.value)
  if (value === undefined) return new PresenceFilter({ attribute: matchType })
  return new ExtensibleFilter({ matchType, rule, dnAttributes, value })
}

function descend(filter: Filter, change: (filter: Filter) => Filter): Filter {
  if (filter instanceof AndFilter) return new AndFilter({ filters: filter.filters.map(change) })
  if (filter instanceof OrFilter) return new OrFilter({ filters: filter.filters.map(change) })
  if (filter instanceof NotFilter) return new NotFilter({ filter: change(filter.filter) })
  return filter
}
