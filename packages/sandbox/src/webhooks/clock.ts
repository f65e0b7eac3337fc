import { PostmarkError } from '@postmark-smtp/core'

/** The time of a sandbox: the real one, and ahead of it by what `advance` has added. */
export interface Clock {
  now(): Date
  /** Runs a task in so many milliseconds; returns what cancels it. Nothing scheduled keeps the process alive. */
  schedule(ms: number, task: () => void | Promise<void>): () => void
  /**
   * Moves the time on; resolves when all that came due on the way has been done, in order, and rejects with the
   * error of a task.
   * @throws PostmarkError ERR_POSTMARK_OPTIONS for what is no length of time
   */
  advance(ms: number): Promise<void>
  /** Forgets what is scheduled, for good. */
  close(): void
}

interface Task {
  readonly at: number
  readonly run: () => void | Promise<void>
}

/** A longer time makes `setTimeout` fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A clock that runs with the real time until somebody advances it. */
export function createClock(): Clock {
  const tasks: Task[] = []
  const running = new Set<Promise<void>>()
  let aheadMs = 0
  // While the time is moved it does not run on by itself: what tasks take must not put off what they schedule.
  let standsAt: number | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let lastMove: Promise<void> = Promise.resolve()

  const time = () => standsAt ?? Date.now() + aheadMs

  function setTimer() {
    clearTimeout(timer)
    const next = tasks[0]
    if (next === undefined || standsAt !== undefined) return
    timer = setTimeout(runDue, Math.min(Math.max(0, next.at - time()), LONGEST_TIMER_MS)).unref()
  }

  function runDue() {
    for (const task of tasks.splice(0, indexAfter(tasks, time()))) {
      const done = (async () => task.run())().finally(() => running.delete(done))
      running.add(done)
    }
    setTimer()
  }

  async function move(ms: number) {
    standsAt = time()
    const end = standsAt + ms
    try {
      for (;;) {
        // What runs may schedule something that comes due on the way.
        while (running.size > 0) await Promise.all(running)
        const next = tasks[0]
        if (next === undefined || next.at > end) break
        standsAt = Math.max(standsAt, next.at)
        runDue()
      }
    } finally {
      aheadMs = Math.max(aheadMs, end - Date.now())
      standsAt = undefined
      setTimer()
    }
  }

  return {
    now: () => new Date(time()),
    schedule(ms, run) {
      if (closed) return () => {}
      const task: Task = { at: time() + ms, run }
      tasks.splice(indexAfter(tasks, task.at), 0, task)
      if (tasks[0] === task) setTimer()
      return () => {
        const index = tasks.indexOf(task)
        if (index >= 0) tasks.splice(index, 1)
      }
    },
    async advance(ms) {
      if (!(Number.isFinite(ms) && ms >= 0)) {
        throw new PostmarkError('ERR_POSTMARK_OPTIONS', `advance() cannot move the time by ${String(ms)}.`, {
          hint: 'Give milliseconds, 0 or more: advance(60_000) is a minute.',
        })
      }
      const moved = lastMove.then(() => move(ms))
      lastMove = moved.catch(() => {})
      await moved
    },
    close() {
      closed = true
      tasks.length = 0
      clearTimeout(timer)
    },
  }
}

/** Where a task for this time goes: after those of the same time, so that they keep their order. */
function indexAfter(tasks: readonly Task[], at: number): number {
  let low = 0
  let high = tasks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (tasks[middle]!.at <= at) low = middle + 1
    else high = middle
  }
  return low
}
