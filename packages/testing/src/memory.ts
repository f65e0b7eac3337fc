import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects garbage now; `--expose-gc` need not be given. */
export const collectGarbage: () => void = runInNewContext('gc')

/** Bytes in use, once everything that nobody holds is gone. */
export async function memoryInUse(): Promise<number> {
  // Buffers whose owners go in the first round are freed in the second.
  for (let round = 0; round < 2; round++) {
    collectGarbage()
    await setImmediate()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
