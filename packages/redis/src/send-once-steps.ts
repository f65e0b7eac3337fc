import { setImmediate } from 'node:timers'
import type { SendCommand } from './redis-client.js'
import { STEPS } from './send-once-scripts.js'

/** The maximum number of steps in one script, so that it does not block Redis for long. */
const MOST = 100

/** A step of one email: the function of the script, the key, and the arguments. */
interface Step {
  readonly name: 'claim' | 'renew' | 'settle'
  readonly key: string
  readonly args: readonly string[]
  resolve(answer: unknown): void
  reject(error: unknown): void
}

/**
 * Collects the steps of one turn of the event loop and sends them in one script, because round trips take a busy worker
 * longer than the steps take Redis.
 */
export class SendOnceSteps {
  readonly #send: SendCommand
  readonly #prefix: string
  readonly #index: string
  #waiting: Step[] = []

  constructor(send: SendCommand, prefix: string, index: string) {
    this.#send = send
    this.#prefix = prefix
    this.#index = index
  }

  /** Adds a step, and resolves to the answer of the script. */
  take(name: Step['name'], key: string, ...args: string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, key, args, resolve, reject })
      if (this.#waiting.length === 1) setImmediate(() => this.#flush())
    })
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let from = 0; from < waiting.length; from += MOST) void this.#run(waiting.slice(from, from + MOST))
  }

  async #run(steps: readonly Step[]): Promise<void> {
    const keys = steps.map(({ key }) => this.#prefix + key)
    const args = steps.flatMap(({ name, key, args }) => [name, key, String(args.length), ...args])
    try {
      const answers = (await STEPS.run(this.#send, [this.#index, ...keys], args)) as unknown[]
      for (const [place, { resolve, reject }] of steps.entries()) {
        const answer = answers[place]
        if (Array.isArray(answer) && answer[0] === 'error') reject(new Error(String(answer[1])))
        else resolve(answer)
      }
    } catch (error) {
      for (const { reject } of steps) reject(error)
    }
  }
}
