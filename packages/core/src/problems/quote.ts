const MAX_LENGTH = 40

/** What may be a secret: a UUID, an access key, the login of a URL, a long run of letters and digits. */
const SECRET =
  /[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}|PM-[TB]-|:\/\/.*@|(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{20}/i

/** Whether a message may show a text: only a short one, and none that may be a token in the wrong place. */
export function isQuotable(text: string): boolean {
  return text.length <= MAX_LENGTH && !SECRET.test(text)
}

/** A text in quotation marks, or what is safe to say of it. */
export function quote(text: string): string {
  return isQuotable(text) ? JSON.stringify(text) : `a string of ${text.length} characters`
}

/** The path of a key in its parent; of a key that may be a secret, only its length. @example 'streams.news' */
export function pathOf(parent: string, key: string): string {
  if (!isQuotable(key)) return `${parent}[a key of ${key.length} characters]`
  return parent === '' ? key : `${parent}.${key}`
}
