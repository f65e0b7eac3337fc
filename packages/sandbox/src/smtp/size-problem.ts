import { isHeaderTooLarge } from '../mail/header-block.js'
import { SIZE_LIMIT } from './greeting.js'

export const TOO_BIG = '5.3.4 Error: message file too big'

/** What is said with 552 to a mail that is larger than what is taken; undefined where it is not. */
export function sizeProblem(raw: Buffer): string | undefined {
  if (raw.length > SIZE_LIMIT) return TOO_BIG
  return isHeaderTooLarge(raw) ? '5.3.4 Error: message header too big' : undefined
}
