export type { RedisClient, RedisStoreOptions } from './redis-client.js'
export {
  createRedisCursor,
  type RedisCursor,
  type RedisCursorOptions,
  type StoredCursor,
} from './redis-cursor.js'
export { createRedisDedupe, type RedisDedupe } from './redis-dedupe.js'
export { createRedisSendOnce, type RedisSendOnceOptions } from './redis-send-once.js'
export { createRedisSuppressions, type RedisSuppressions } from './redis-suppressions.js'
