import { createRedactor, type Redactor } from '@postmark-smtp/core/internal'

/**
 * Removes secrets from texts, as they are and as they travel: percent-encoded, and in base64 of either alphabet at
 * every offset, because a login joins the token with other parts. There is no limit to their number.
 */
export function createSecretsRedactor(): Redactor {
  const known = new Map<string, Redactor>()
  return {
    add(secret) {
      if (secret === '' || known.has(secret)) return
      const redactor = createRedactor()
      for (const form of [secret, encodeURIComponent(secret), ...encode(secret)]) redactor.add(form)
      known.set(secret, redactor)
    },
    text: (text) => [...known.values()].reduce((left, redactor) => redactor.text(left), text),
  }
}

/** The base64 of shorter secrets occurs in other texts by chance. */
const SHORTEST = 6

/** What the secret contributes to a run of base64, whatever comes before and after it. */
function encode(secret: string): string[] {
  const bytes = Buffer.from(secret)
  if (bytes.length < SHORTEST) return []
  return [0, 1, 2].flatMap((before) => {
    const bits = (before + bytes.length) * 8
    const all = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const own = all.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6))
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
