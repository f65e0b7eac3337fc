import { PostmarkError } from '@postmark-smtp/core'
import { LONGEST_TIMER_MS } from '@postmark-smtp/core/internal'

/** The time of a sandbox: the real time plus what `advance` has added. */
export interface Clock {
  now(): Date
  /** Runs a task after some milliseconds. Returns a function that cancels it. Tasks do not keep the process alive. */
  schedule(ms: number, task: () => void | Promise<void>): () => void
  /**
   * Moves the time on. Resolves when all tasks that became due on the way are done, in order. Rejects with the error of a
   * task.
   * @throws PostmarkError ERR_POSTMARK_OPTIONS if `ms` is not a length of time
   */
  advance(ms: number): Promise<void>
  /** Cancels everything that is scheduled, permanently. */
  close(): void
}

interface Task {
  readonly at: number
  readonly run: () => void | Promise<void>
}

/** The first date whose year has more than the four digits of ISO 8601. */
const END_OF_TIME = Date.UTC(10_000, 0)

/** Makes a clock that follows the real time until it is advanced. */
export function createClock(): Clock {
  const tasks: Task[] = []
  const running = new Set<Promise<void>>()
  let aheadMs = 0
  // While the time is moved, it does not run by itself: the duration of a task must not delay what it schedules.
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
    const start = time()
    const end = start + ms
    if (end >= END_OF_TIME) {
      throw new PostmarkError('ERR_POSTMARK_OPTIONS', 'advance() cannot move the time past the year 9999.', {
        hint: 'Pass fewer milliseconds.',
      })
    }
    standsAt = start
    try {
      for (;;) {
        // A running task may schedule another one that becomes due on the way.
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
          hint: 'Pass milliseconds, 0 or more: advance(60_000) is one minute.',
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

/** The index for a task at this time: after those of the same time, so that they keep their order. */
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
