/** Members that hold a text and nothing else. Others hold one, or a set of them. */
const texts = new Set(['Version', 'Id', 'ID', 'Sid', 'Effect'])

/** Whether two policy documents say the same but for the order of what has none. Text that is no JSON is like nothing else. */
export function sameDocument(a: string, b: string): boolean {
  if (a === b) return true
  try {
    return canonical(JSON.parse(a)) === canonical(JSON.parse(b))
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

function canonical(value: unknown, name = ''): string {
  if (name !== '' && !texts.has(name) && typeof value === 'string') return canonical([value])
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item))
    // Statements have an order only for those who read them, but then also in what is told of them.
    const inOrder = value.every((item) => typeof item === 'string')
      ? [...new Set(items)].sort()
      : items
    return `[${inOrder.join()}]`
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1))
  return `{${members.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each, key)}`).join()}}`
}
