import { setTimeout } from 'node:timers/promises'
import { collectGarbage } from '@postmark-smtp/testing'

/** Memory in use without garbage, in bytes: the heap, and the Buffers outside it. */
export function heldMemory(): number {
  // The second collection waits until the Buffers of the first are released.
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The same when nothing is in progress: by then, what the last transporter left is gone. */
export async function heldAtRest(): Promise<number> {
  collectGarbage()
  await setTimeout(100)
  return heldMemory()
}
