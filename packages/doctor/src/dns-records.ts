import type { Examination } from './examination.js'
import { within } from './within.js'

/** The records of a query; none where the name does not exist or has none of that type. */
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
