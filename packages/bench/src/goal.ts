/** The limit that a figure must reach. */
export interface Goal {
  readonly of: string
  readonly is: 'at least' | 'at most'
  readonly limit: number
}

/** Returns the table cell with the goal and whether it was met. */
export function judge(goal: Goal, found: number): string {
  const { of, is, limit } = goal
  const isMet = is === 'at least' ? found >= limit : found <= limit
  return `${of} ${is === 'at least' ? '≥' : '≤'} ${limit.toFixed(2)}: ${isMet ? 'met' : 'missed'}`
}
