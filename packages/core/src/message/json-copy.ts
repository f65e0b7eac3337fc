import { isRecord } from '../problems/describe.js'

/**
 * The JSON representation of a transporter. Without its functions, Nodemailer would treat it as options and connect to
 * localhost. For `sendmail`, Nodemailer 7 to 10 start the program with this name, which does not exist: the error of
 * the email then quotes the name.
 */
export const JSON_COPY: Readonly<Record<'name' | 'version' | 'path', string> & { readonly sendmail: true }> =
  Object.freeze({
    name: 'postmark-smtp',
    version: '1',
    sendmail: true,
    path: 'a copy of a Postmark transporter that went through JSON, which drops functions: pass the transporter itself',
  })

/** Whether the options of a transporter are a JSON copy. */
export function isJsonCopy(options: unknown): boolean {
  return isRecord(options) && options.path === JSON_COPY.path
}
