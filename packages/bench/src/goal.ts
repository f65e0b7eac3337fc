/** What a figure has to reach. */
export interface Goal {
  readonly of: string
  readonly is: 'at least' | 'at most'
  readonly limit: number
}

/** The cell of a table that says what was to be reached, and whether it was. */
export function judge(goal: Goal, found: number): string {
  const { of, is, limit } = goal
  const isMet = is === 'at least' ? found >= limit : found <= limit
  return `${of} ${is === 'at least' ? '≥' : '≤'} ${limit.toFixed(2)}: ${isMet ? 'met' : 'missed'}`
}
