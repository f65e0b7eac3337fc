import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'

/** A client of ioredis 5 or 6, which has `call`, or of node-redis (`redis`) 5 or 6, which has `sendCommand`. */
export type RedisClient =
  | { call(command: string, ...args: string[]): Promise<unknown> }
  | { sendCommand(command: string[]): Promise<unknown> }

/** What each store takes. */
export interface RedisStoreOptions {
  /**
   * What its keys begin with, in braces: all keys of a prefix are in one slot of a cluster, since scripts use several of
   * them at once. Applications that share a Redis need one each. Default `postmark-smtp`.
   */
  readonly prefix?: string | undefined
}

/** Sends a command. */
export type SendCommand = (command: string, ...args: string[]) => Promise<unknown>

/** @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function toSendCommand(client: RedisClient): SendCommand {
  // ioredis has a sendCommand too, of another kind.
  if (hasMethod(client, 'call'))
    return async (command, ...args) => toTexts(await client.call(command, ...args))
  if (hasMethod(client, 'sendCommand'))
    return async (...command) => toTexts(await client.sendCommand(command))
  throw optionError('client', client, 'a client of ioredis or node-redis')
}

/** A client may be set to give Buffers. */
function toTexts(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(toTexts)
  return Buffer.isBuffer(reply) ? reply.toString() : reply
}

/** The beginning of every key. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function toKeyPrefix(options: RedisStoreOptions | undefined, others: readonly string[] = []): string {
  refuseUnknown(options, ['prefix', ...others])
  const prefix: unknown = options?.prefix ?? 'postmark-smtp'
  if (typeof prefix !== 'string' || !/^[^{}]+$/.test(prefix))
    throw optionError('prefix', prefix, 'a text without braces')
  return `{${prefix}}:`
}

/** Reads a time to live. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function readMs(name: string, value: unknown, byDefault: number): number {
  if (value === undefined) return byDefault
  if (typeof value === 'number' && value >= 1 && value <= Number.MAX_SAFE_INTEGER) return Math.ceil(value)
  throw optionError(name, value, 'milliseconds, 1 or more')
}

function hasMethod<N extends string>(
  client: RedisClient,
  name: N,
): client is Extract<RedisClient, Record<N, unknown>> {
  return typeof (client as Partial<Record<string, unknown>> | null | undefined)?.[name] === 'function'
}
