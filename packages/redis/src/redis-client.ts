import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'

/** A client of ioredis 5 or 6 (which has `call`) or of node-redis (`redis`) 5 or 6 (which has `sendCommand`). */
export type RedisClient =
  | { call(command: string, ...args: string[]): Promise<unknown> }
  | { sendCommand(command: string[]): Promise<unknown> }

/** Options of every store. */
export interface RedisStoreOptions {
  /**
   * The prefix of all keys of the store, written in braces. All keys of a prefix are in one slot of a cluster, because
   * scripts use several of them together. Applications that share a Redis need different prefixes. Default `postmark-smtp`.
   */
  readonly prefix?: string | undefined
}

/** Sends a command. */
export type SendCommand = (command: string, ...args: string[]) => Promise<unknown>

/** @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function toSendCommand(client: RedisClient): SendCommand {
  // ioredis has a sendCommand too, with a different signature.
  if (hasMethod(client, 'call'))
    return async (command, ...args) => toTexts(await client.call(command, ...args))
  if (hasMethod(client, 'sendCommand'))
    return async (...command) => toTexts(await client.sendCommand(command))
  throw optionError('client', client, 'an ioredis or node-redis client')
}

/** A client may be configured to return Buffers. */
function toTexts(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(toTexts)
  return Buffer.isBuffer(reply) ? reply.toString() : reply
}

/** The beginning of every key. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function toKeyPrefix(options: RedisStoreOptions | undefined, others: readonly string[] = []): string {
  refuseUnknown(options, ['prefix', ...others])
  const prefix: unknown = options?.prefix ?? 'postmark-smtp'
  if (typeof prefix !== 'string' || !/^[^{}]+$/.test(prefix))
    throw optionError('prefix', prefix, 'a non-empty string without braces')
  return `{${prefix}}:`
}

/** Reads a time to live. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function readMs(name: string, value: unknown, byDefault: number): number {
  if (value === undefined) return byDefault
  if (typeof value === 'number' && value >= 1 && value <= Number.MAX_SAFE_INTEGER) return Math.ceil(value)
  throw optionError(name, value, 'a number of milliseconds, 1 or more')
}

function hasMethod<N extends string>(
  client: RedisClient,
  name: N,
): client is Extract<RedisClient, Record<N, unknown>> {
  return typeof (client as Partial<Record<string, unknown>> | null | undefined)?.[name] === 'function'
}
