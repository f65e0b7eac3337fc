import { isHeaderTooLarge } from '../mail/header-block.js'
import { SIZE_LIMIT } from './greeting.js'

export const TOO_BIG = '5.3.4 Error: message file too big'

/** The text of the 552 for an email that is too large; undefined if it is not. */
export function sizeProblem(raw: Buffer): string | undefined {
  if (raw.length > SIZE_LIMIT) return TOO_BIG
  return isHeaderTooLarge(raw) ? '5.3.4 Error: message header too big' : undefined
}
