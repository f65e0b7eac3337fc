/**
 * The token of a transporter that `PostmarkSmtpModule` provides, for `inject` and `overrideProvider`.
 * @param name as passed to `forRoot({ name })`; leave it out for the module without a name
 * @example builder.overrideProvider(getPostmarkToken()).useValue(transporter)
 */
export function getPostmarkToken(name?: string): string {
  return name === undefined ? 'PostmarkTransporter' : `PostmarkTransporter(${name})`
}
