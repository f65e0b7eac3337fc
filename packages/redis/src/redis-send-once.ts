import { optionError } from '@postmark-smtp/core/internal'
import type { SendOnceClaim, SendOnceInfo, SendOnceStore, SendOnceUnknown } from '@postmark-smtp/core/pure'
import {
  type RedisClient,
  type RedisStoreOptions,
  readMs,
  type SendCommand,
  toKeyPrefix,
  toSendCommand,
} from './redis-client.js'
import { DESCRIBE, LIST, RESOLVE } from './send-once-scripts.js'
import { SendOnceSteps } from './send-once-steps.js'

/** Options of {@link createRedisSendOnce}. */
export interface RedisSendOnceOptions extends RedisStoreOptions {
  /**
   * How long a key is remembered after its last change, in milliseconds. After that, its email may be sent again. Default
   * 604,800,000, a week.
   */
  readonly ttlMs?: number | undefined
  /**
   * How many replicas must have a claim before its email is sent. This takes one more round trip (`WAIT`). If fewer replicas
   * have the claim within a second, the email is not sent. Default 0: a failover can lose a claim that was just made.
   */
  readonly replicas?: number | undefined
}

const WEEK_MS = 604_800_000
/** How long to wait for replicas to have a claim. */
const REPLICAS_MS = 1_000
/** The number of unknown emails that one script reads, so that it does not block Redis for long. */
const PAGE = 100

/**
 * Creates a send-once store on Redis 6.2 or later. All processes that use the same prefix share it.
 * @example createPostmarkTransport({ serverToken, sendOnce: createRedisSendOnce(new Redis(url)) })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 * @see docs/send-once.md, which explains what a failover of Redis can lose
 */
export function createRedisSendOnce(client: RedisClient, options?: RedisSendOnceOptions): SendOnceStore {
  const send = toSendCommand(client)
  const prefix = `${toKeyPrefix(options, ['ttlMs', 'replicas'])}once:`
  const { replicas = 0 } = options ?? {}
  if (!Number.isSafeInteger(replicas) || replicas < 0)
    throw optionError('replicas', replicas, 'a whole number of 0 or more')
  return new RedisSendOnce(send, prefix, readMs('ttlMs', options?.ttlMs, WEEK_MS), replicas)
}

class RedisSendOnce implements SendOnceStore {
  readonly #send: SendCommand
  readonly #prefix: string
  readonly #index: string
  readonly #ttlMs: number
  readonly #replicas: number
  readonly #steps: SendOnceSteps

  constructor(send: SendCommand, prefix: string, ttlMs: number, replicas: number) {
    this.#send = send
    this.#prefix = prefix
    // The key of an email cannot have this name, because it is a hash.
    this.#index = `${prefix}open`
    this.#ttlMs = ttlMs
    this.#replicas = replicas
    this.#steps = new SendOnceSteps(send, prefix, this.#index)
  }

  async claim(key: string, request: Parameters<SendOnceStore['claim']>[1]): Promise<SendOnceClaim> {
    const { owner, leaseMs, reference, fingerprint } = request
    const ttlMs = Math.max(this.#ttlMs, leaseMs)
    const args = [owner, toMs(leaseMs), reference, fingerprint, toMs(ttlMs)]
    const [state, first, second] = (await this.#steps.take('claim', key, ...args)) as string[]
    if (state === 'claimed') await this.#awaitReplicas()
    if (state === 'claimed' || state === 'conflict') return state
    if (state === 'held') return { held: true, forMs: Number(first) }
    if (state === 'unknown') return { unknown: true, sinceMs: Number(first), reference: second ?? '' }
    if (state === 'sent') return { sent: true, info: parse(first), resolution: parse(second) }
    // An unexpected answer must not count as sent.
    throw new Error(`Redis answered a claim with ${state}`)
  }

  async renew(key: string, owner: string, leaseMs: number): Promise<boolean> {
    const ttlMs = Math.max(this.#ttlMs, leaseMs)
    return Number(await this.#steps.take('renew', key, owner, toMs(leaseMs), toMs(ttlMs))) === 1
  }

  async settle(
    key: string,
    owner: string,
    state: 'sent' | 'unknown' | 'released',
    info?: SendOnceInfo,
  ): Promise<boolean> {
    const text = info === undefined ? '' : JSON.stringify(info)
    return Number(await this.#steps.take('settle', key, owner, state, text, toMs(this.#ttlMs))) === 1
  }

  async resolve(id: string, state: 'sent' | 'released', resolution?: object): Promise<boolean> {
    const key = id.slice(0, id.indexOf(' '))
    const text = resolution === undefined ? '' : JSON.stringify(resolution)
    const args = [id, state, text, toMs(this.#ttlMs), key]
    return Number(await RESOLVE.run(this.#send, [this.#prefix + key, this.#index], args)) === 1
  }

  async *unknowns(): AsyncGenerator<SendOnceUnknown, void> {
    const keys = (await LIST.run(this.#send, [this.#index], [])) as string[]
    for (let from = 0; from < keys.length; from += PAGE) {
      const page = keys.slice(from, from + PAGE)
      const records = page.map((key) => this.#prefix + key)
      const found = (await DESCRIBE.run(this.#send, [this.#index, ...records], page)) as string[]
      for (let at = 0; at + 2 < found.length; at += 3)
        yield { id: found[at]!, reference: found[at + 1]!, sinceMs: Number(found[at + 2]) }
    }
  }

  async #awaitReplicas(): Promise<void> {
    if (this.#replicas === 0) return
    const reached = Number(await this.#send('WAIT', String(this.#replicas), String(REPLICAS_MS)))
    if (reached < this.#replicas)
      throw new Error(`Only ${reached} of ${this.#replicas} Redis replicas have the claim`)
  }
}

/** Redis accepts only whole milliseconds. */
function toMs(ms: number): string {
  return String(Math.ceil(ms))
}

function parse(text: string | undefined): Record<string, never> | undefined {
  return text ? JSON.parse(text) : undefined
}
