import { setTimeout } from 'node:timers/promises'
import { collectGarbage } from '@postmark-smtp/testing'

/** Memory that is held and not garbage, in bytes: the heap, and what Buffers have outside it. */
export function heldMemory(): number {
  // The second collection waits until the Buffers of the first are given back.
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The same when nothing is under way: what the last transporter left has gone by then. */
export async function heldAtRest(): Promise<number> {
  collectGarbage()
  await setTimeout(100)
  return heldMemory()
}
