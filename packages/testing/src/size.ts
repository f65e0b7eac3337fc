/**
 * Size of a soak test: the whole under `npm run soak`, a part of it under `POSTMARK_SMTP_SOAK=short`, for a quick look.
 * @param largest under `POSTMARK_SMTP_SOAK=whole`, for what takes longer than the gate may; the whole unless given
 * @example size(100_000) // 5_000 under `POSTMARK_SMTP_SOAK=short`
 */
export function size(whole: number, part = 20, largest: number = whole): number {
  const { POSTMARK_SMTP_SOAK: soak } = process.env
  if (soak === 'whole') return largest
  return soak === '1' ? whole : Math.ceil(whole / part)
}
