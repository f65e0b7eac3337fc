/**
 * The size of a soak test: the whole under `npm run soak`, a part of it under `POSTMARK_SMTP_SOAK=short`, for a quick look.
 * @param largest the size under `POSTMARK_SMTP_SOAK=whole`, for a test that is too long for the usual soak run; default: the whole
 * @example size(100_000) // 5_000 under `POSTMARK_SMTP_SOAK=short`
 */
export function size(whole: number, part = 20, largest: number = whole): number {
  const { POSTMARK_SMTP_SOAK: soak } = process.env
  if (soak === 'whole') return largest
  return soak === '1' ? whole : Math.ceil(whole / part)
}
