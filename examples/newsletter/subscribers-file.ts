import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A CSV file that exists while the example runs. */
export interface SubscribersFile extends AsyncDisposable {
  readonly path: string
}

/** Writes a file of subscribers. One in a hundred has an invalid address. */
export async function writeSubscribers(count: number): Promise<SubscribersFile> {
  const folder = await mkdtemp(join(tmpdir(), 'newsletter-'))
  const path = join(folder, 'subscribers.csv')
  const rows = Array.from({ length: count }, (_, index) => {
    const id = index + 1
    return `${id},"Reader, ${id}",${id % 100 === 0 ? 'no address' : `reader-${id}@example.com`}`
  })
  await writeFile(path, `id,name,email\n${rows.join('\n')}\n`)
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}
