import { POSTMARK_HOSTS } from '@postmark-smtp/core/internal'
import type { Examination } from './examination.js'
import { within } from './within.js'

/** The records of a query; none if the name does not exist or has no records of that type. */
export async function recordsOf<T>(
  { patienceMs, signal }: Pick<Examination, 'patienceMs' | 'signal'>,
  query: Promise<readonly T[]>,
): Promise<readonly T[]> {
  try {
    return await within(patienceMs, signal, query)
  } catch (error) {
    if (/ENODATA|ENOTFOUND/.test((error as { code?: string }).code ?? '')) return []
    throw error
  }
}

/** The TXT records of a name, each in one piece. */
export async function textsOf(examination: Examination, name: string): Promise<string[]> {
  const records = await recordsOf(examination, examination.resolver.resolveTxt(name))
  return records.map((parts) => parts.join(''))
}

/**
 * Why the name servers cannot be trusted about a domain; undefined if they can. Without a network, or if a filter answers,
 * they say that nothing exists, and a "missing" record would be a false alarm.
 */
export async function whyUnbelieved(examination: Examination): Promise<string | undefined> {
  if (examination.facts.queriesFail !== undefined) return examination.facts.queriesFail
  const known = POSTMARK_HOSTS.transactional
  try {
    const found = await recordsOf(examination, examination.resolver.resolve4(known))
    return found.length > 0 ? undefined : `the name servers of this machine cannot resolve even ${known}`
  } catch {
    return `the name servers of this machine do not answer for ${known}`
  }
}
