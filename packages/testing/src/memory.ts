import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects garbage now, without `--expose-gc`. */
export const collectGarbage: () => void = runInNewContext('gc')

/** The bytes in use after garbage collection. */
export async function memoryInUse(): Promise<number> {
  // Buffers whose owners are collected in the first round are freed in the second.
  for (let round = 0; round < 2; round++) {
    collectGarbage()
    await setImmediate()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
