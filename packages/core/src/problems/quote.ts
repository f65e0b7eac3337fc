const MAX_LENGTH = 40

/** What may be a secret: a UUID, an access key, the login in a URL, or a long run of letters and digits. */
const SECRET =
  /[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}|PM-[TB]-|:\/\/.*@|(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{20}/i

/** Whether a message may show a string: only a short one that cannot be a misplaced token. */
export function isQuotable(text: string): boolean {
  return text.length <= MAX_LENGTH && !SECRET.test(text)
}

/** A string in quotation marks, or a description that is safe to show. */
export function quote(text: string): string {
  return isQuotable(text) ? JSON.stringify(text) : `a string of ${text.length} characters`
}

/** The path of a key in its parent. If the key may be a secret, only its length is shown. @example 'streams.news' */
export function pathOf(parent: string, key: string): string {
  if (!isQuotable(key)) return `${parent}[a key of ${key.length} characters]`
  return parent === '' ? key : `${parent}.${key}`
}
