/** The longest time of a Node timer, in milliseconds: about 24 days. With a longer one, `setTimeout` fires immediately. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1
