/** What libraries keep and lose. Each is set up as its documentation has it, once, when the application starts. */
import { once } from 'node:events'
import asyncLibrary from 'async'
import Bottleneck from 'bottleneck'
import DataLoader from 'dataloader'
import fastq from 'fastq'
import genericPool from 'generic-pool'
import { Redis } from 'ioredis'
import mysql from 'mysql2'
import pLimit from 'p-limit'
import PQueue from 'p-queue'
import pg from 'pg'
import { Piscina } from 'piscina'
import { createClient } from 'redis'
import { BehaviorSubject, bufferTime, firstValueFrom, from, mergeMap, Subject, shareReplay, skip } from 'rxjs'
import { Pool as HttpPool } from 'undici'
import { createEcho } from './echo.mjs'
import { hold } from './hold.mjs'

/** The server that mysql2 brings along: it knows the protocol, and answers each query with ok. */
async function startMysql() {
  const server = mysql.createServer()
  server.listen(0, '127.0.0.1')
  await once(server._server, 'listening')
  server.on('connection', (connection) => {
    connection.serverHandshake({
      protocolVersion: 4,
      serverVersion: '8.0.0',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xffffff ^ 0x800 ^ 0x20,
      authCallback(_login, done) {
        done(null)
        connection._resetSequenceId()
      },
    })
    connection.on('query', () => {
      connection.writeOk({ affectedRows: 0 })
      // Each command counts its packets from 0; the server leaves that to whoever uses it.
      connection._resetSequenceId()
    })
    connection.on('error', () => {})
  })
  const { port } = server._server.address()
  const pool = mysql.createPool({ host: '127.0.0.1', port, user: 'any', connectionLimit: 2 })
  const close = async () => {
    await pool.promise().end()
    await new Promise((resolve) => server.close(resolve))
  }
  return { pool, close }
}

/** A subscription of one connection, with handlers by number. */
async function subscribe({ redis }, listen) {
  const waiting = new Map()
  const publisher = new Redis(redis)
  const unlisten = await listen((n) => waiting.get(n)())
  return {
    use(send) {
      const held = hold(send)
      const n = String(waiting.size)
      waiting.set(n, held.call)
      void publisher.publish('done', n)
      return held.done
    },
    async close() {
      await unlisten()
      await publisher.quit()
    },
  }
}

/** A subject at which requests leave their work, and what is subscribed to it when the application starts. */
const subject = (connect) => () => {
  const works = new Subject()
  const subscription = connect(works).subscribe((batch) => {
    for (const work of [batch].flat()) work()
  })
  return {
    use(send) {
      const held = hold(send)
      works.next(held.call)
      return held.done
    },
    close: () => subscription.unsubscribe(),
  }
}

export const libraryPatterns = {
  'p-limit: `limit(fn)`': () => {
    const limit = pLimit(2)
    return (send) => limit(send)
  },
  'p-queue: `queue.add(fn)`': () => {
    const queue = new PQueue({ concurrency: 2 })
    return (send) => queue.add(send)
  },
  'bottleneck: `limiter.schedule(fn)`': () => {
    const limiter = new Bottleneck({ maxConcurrent: 2 })
    return (send) => limiter.schedule(send)
  },
  'async: the worker of `async.queue`': () => {
    const queue = asyncLibrary.queue(async (send) => await send(), 2)
    return (send) => queue.pushAsync(send)
  },
  'fastq: the worker of a queue': () => {
    const queue = fastq((send, done) => send().then(() => done(null), done), 2)
    return (send) =>
      new Promise((resolve, reject) => queue.push(send, (error) => (error ? reject(error) : resolve())))
  },
  'fastq: the worker of `fastq.promise`': () => {
    const queue = fastq.promise((send) => send(), 2)
    return (send) => queue.push(send)
  },
  'dataloader: the batch function': () => {
    const loader = new DataLoader((sends) => Promise.all(sends.map((send) => send())), { cache: false })
    return (send) => loader.load(send)
  },
  'dataloader: after `await loader.load(key)`': () => {
    const loader = new DataLoader(async (keys) => keys)
    return async (send) => {
      await loader.load(1)
      await send()
    }
  },
  'generic-pool: after `await pool.acquire()`': () => {
    const pool = genericPool.createPool({ create: async () => ({}), destroy: async () => {} }, { max: 2 })
    return {
      use: (send) => pool.use(send),
      close: () => pool.drain().then(() => pool.clear()),
    }
  },
  'piscina: after `await pool.run(task)`': () => {
    const pool = new Piscina({ filename: new URL('task.mjs', import.meta.url).href, maxThreads: 1 })
    return {
      async use(send) {
        await pool.run(1)
        await send()
      },
      close: () => pool.destroy(),
    }
  },
  'undici: after `await pool.request()`': async () => {
    const echo = await createEcho()
    const pool = new HttpPool(echo.url, { connections: 2 })
    return {
      async use(send) {
        const { body } = await pool.request({ path: '/', method: 'GET' })
        await body.text()
        await send()
      },
      async close() {
        await pool.close()
        echo.close()
      },
    }
  },
  'pg: the callback of `pool.query(sql, callback)`': ({ postgres }) => {
    const pool = new pg.Pool({ connectionString: postgres, max: 2 })
    return {
      use(send) {
        const held = hold(send)
        void pool.query('select 1', held.call)
        return held.done
      },
      close: () => pool.end(),
    }
  },
  'pg: after `await pool.query(sql)`': ({ postgres }) => {
    const pool = new pg.Pool({ connectionString: postgres, max: 2 })
    return {
      async use(send) {
        await pool.query('select 1')
        await send()
      },
      close: () => pool.end(),
    }
  },
  'mysql2: the callback of `pool.query(sql, callback)`': async () => {
    const { pool, close } = await startMysql()
    return {
      use(send) {
        const held = hold(send)
        pool.query('select 1', held.call)
        return held.done
      },
      close,
    }
  },
  'mysql2: after `await pool.query(sql)` with mysql2/promise': async () => {
    const { pool, close } = await startMysql()
    return {
      async use(send) {
        await pool.promise().query('select 1')
        await send()
      },
      close,
    }
  },
  'ioredis: after `await redis.get(key)`': ({ redis }) => {
    const client = new Redis(redis)
    return {
      async use(send) {
        await client.get('key')
        await send()
      },
      close: () => client.quit(),
    }
  },
  'ioredis: the callback of `redis.get(key, callback)`': ({ redis }) => {
    const client = new Redis(redis)
    return {
      use(send) {
        const held = hold(send)
        client.get('key', held.call)
        return held.done
      },
      close: () => client.quit(),
    }
  },
  'ioredis: messages from a subscription': (servers) =>
    subscribe(servers, async (take) => {
      const client = new Redis(servers.redis)
      client.on('message', (_channel, n) => take(n))
      await client.subscribe('done')
      return () => client.quit()
    }),
  'redis: after `await client.get(key)`': async ({ redis }) => {
    const client = await createClient({ socket: { path: redis } }).connect()
    return {
      async use(send) {
        await client.get('key')
        await send()
      },
      close: () => client.close(),
    }
  },
  'redis: messages from a subscription': (servers) =>
    subscribe(servers, async (take) => {
      const client = await createClient({ socket: { path: servers.redis } }).connect()
      await client.subscribe('done', take)
      return () => client.close()
    }),
  'rxjs: a subscriber of a BehaviorSubject, when another request calls `next`': () => {
    const state = new BehaviorSubject(0)
    return (send) => {
      const held = hold(send)
      const subscription = state.pipe(skip(1)).subscribe(() => {
        subscription.unsubscribe()
        held.call()
      })
      setImmediate(() => state.next(1))
      return held.done
    }
  },
  'rxjs: a subscriber of `shareReplay`, when another request subscribed first': () => {
    let load
    return (send) => {
      const held = hold(send)
      load ??= from(new Promise(setImmediate)).pipe(shareReplay(1))
      load.subscribe(held.call)
      return held.done
    }
  },
  'rxjs: batches of `bufferTime`': subject((works) => works.pipe(bufferTime(5))),
  'rxjs: `mergeMap` with a concurrency limit, fed by a Subject': subject((works) =>
    works.pipe(mergeMap((work) => Promise.resolve(work), 2)),
  ),
  'rxjs: after `await firstValueFrom(…)`': () => {
    const shared = from(new Promise(setImmediate)).pipe(shareReplay(1))
    return async (send) => {
      await firstValueFrom(shared)
      await send()
    }
  },
}
