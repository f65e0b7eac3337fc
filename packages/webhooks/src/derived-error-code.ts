import { API_ERRORS } from '@postmark-smtp/core/pure'

/**
 * Texts of Postmark's API for a code, if they do not begin with the code's name. The words "sender signature" are not
 * among them, because Postmark uses them with 300, 400 and 401.
 */
const TEXTS: readonly (readonly [code: number, text: RegExp])[] = [
  [300, /provide either email textbody or htmlbody or both/i],
  [300, /zero recipients specified/i],
  [300, /(invalid|error parsing) '(from|to|cc|bcc|reply-?to)'/i],
  [400, /is not a sender signature on your account/i],
  [400, /from address that doesn['’]t have a sender signature/i],
  [401, /from address that doesn['’]t have a corresponding confirmed sender signature/i],
  [401, /'from' address you supplied \([^)]{0,320}\) is not confirmed/i],
  [405, /ran out of credits/i],
  [406, /marked as inactive|inactive (address|recipient)/i],
  [412, /account (that is associated with the send request )?is (still )?pending approval/i],
  [413, /account (that is associated with the send request )?is not approved (for sending|to send)/i],
  [1235, /stream( provided:)?( '[^']{0,100}')? (does not exist|(was |is )?not found)/i],
  [1236, /sending is not supported on the supplied 'messagestream'/i],
]

const NAMES = Object.entries(API_ERRORS).map(
  ([code, { name }]) => [Number(code), name.toLowerCase()] as const,
)

/** Postmark's texts are shorter; anything beyond that was written by someone else. */
const MOST_READ = 2000

/**
 * The error code that matches Postmark's words about a refused email; undefined if they match none or several.
 * @example deriveErrorCode(['Inactive recipient']) // 406
 * @see https://postmarkapp.com/developer/api/overview#error-codes
 */
export function deriveErrorCode(texts: readonly (string | undefined)[]): number | undefined {
  const codes = new Set(texts.flatMap((text = '') => readCodes(text.slice(0, MOST_READ))))
  const [code, ...others] = codes
  return others.length === 0 ? code : undefined
}

function readCodes(text: string): number[] {
  const lower = text.trimStart().toLowerCase()
  return [
    ...NAMES.filter(([, name]) => lower.startsWith(name)),
    ...TEXTS.filter(([, pattern]) => pattern.test(text)),
  ].map(([code]) => code)
}
