/**
 * Size of a soak test: the whole under `npm run soak`, else a part of it, so that the suite stays quick.
 * @example size(100_000) // 5_000 in `npm test`
 */
export function size(whole: number, part = 20): number {
  return process.env.POSTMARK_SMTP_SOAK === '1' ? whole : Math.ceil(whole / part)
}
