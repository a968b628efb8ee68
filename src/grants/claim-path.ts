/**
 * The steps of a path such as `realm_access.roles`. A dot that belongs to a name is written `\.`, a backslash `\\`:
 * `resource_access.my\.app.roles` leads through the client `my.app`.
 */
export function stepsOf(path: string): readonly string[] {
  const steps = ['']
  for (const [part] of path.matchAll(/\\[\\.]|[^]/gu)) {
    if (part === '.') steps.push('')
    else
      steps.push(
        (steps.pop() ?? '') + (part.length === 2 && part.startsWith('\\') ? part.slice(1) : part),
      )
  }
  return steps
}
