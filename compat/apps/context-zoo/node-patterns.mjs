/** What Node itself keeps and loses. Each pattern is opened once, at start, and then used by forty requests at a time. */
import { AsyncResource } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { pbkdf2 } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { readFile } from 'node:fs'
import { Agent, createServer, get } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createEcho } from './echo.mjs'
import { hold } from './hold.mjs'

/** The callback of something that takes one. */
const callback = (start) => () => (send) => {
  const held = hold(send)
  start(held.call)
  return held.done
}

/** Something shared at which requests leave their work, and that has it done by whoever comes by. */
const shared = (open) => () => {
  const list = []
  const wake = open(() => {
    for (const work of list.splice(0)) work()
  })
  return {
    use(send) {
      const held = hold(send)
      list.push(held.call)
      wake.start?.()
      return held.done
    },
    close: () => wake.close?.(),
  }
}

/** What is called back when some request emits. */
const listener = (bind) => () => {
  const emitter = new EventEmitter().setMaxListeners(0)
  return (send) => {
    const held = hold(send)
    emitter.once('ready', bind(held.call))
    setImmediate(() => emitter.emit('ready'))
    return held.done
  }
}

/** A server whose requests send their mail at an event of Node's request or response. */
const atEvent =
  (listen) =>
  async ({ inScope }) => {
    const server = createServer((request, response) => {
      const n = Number(request.url.slice(1))
      inScope(n, (send) => listen(request, response, () => server.emit(`done ${n}`, send())))
    })
    server.setMaxListeners(0).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${server.address().port}`
    return {
      async visit(n) {
        const sent = once(server, `done ${n}`)
        const answer = await fetch(`${url}/${n}`, { method: 'POST', body: 'x'.repeat(100) })
        await answer.text().catch(() => {})
        await (await sent)[0]
      },
      close: () => server.close(),
    }
  }

export const nodePatterns = {
  'after `await` of a timer': () => async (send) => {
    await turn()
    await send()
  },
  'after `await` of a promise that all requests share': () => {
    let loaded
    return async (send) => {
      loaded ??= turn()
      await loaded
      await send()
    }
  },
  'after `await once(emitter, …)`, when another request emits': () => {
    const emitter = new EventEmitter().setMaxListeners(0)
    return async (send) => {
      setImmediate(() => emitter.emit('ready'))
      await once(emitter, 'ready')
      await send()
    }
  },
  'in `for await` over a Readable': () => async (send) => {
    for await (const _chunk of Readable.from(['a'])) await send()
  },
  'callbacks of `setTimeout`, `setImmediate`, `process.nextTick`, `queueMicrotask`': callback((done) =>
    setTimeout(() => setImmediate(() => process.nextTick(() => queueMicrotask(done)))),
  ),
  'callbacks of `node:fs`, `node:crypto` and `node:child_process`': callback((done) =>
    readFile('package.json', () => pbkdf2('a', 'b', 1, 8, 'sha1', () => execFile('true', () => done()))),
  ),
  'the response to `http.get` over a keep-alive agent': async () => {
    const echo = await createEcho()
    const agent = new Agent({ keepAlive: true, maxSockets: 2 })
    return {
      use(send) {
        const held = hold(send)
        get(echo.url, { agent }, (response) => response.resume().on('end', held.call))
        return held.done
      },
      close() {
        agent.destroy()
        echo.close()
      },
    }
  },
  'an EventEmitter listener bound with `AsyncResource.bind`, when another request emits': listener(
    AsyncResource.bind,
  ),
  'an EventEmitter listener, when another request emits': listener((call) => call),
  'an AbortSignal listener, when another request aborts': () => {
    let controller = new AbortController()
    return (send) => {
      const held = hold(send)
      const { signal } = controller
      signal.addEventListener('abort', held.call)
      setImmediate(() => {
        controller.abort()
        controller = new AbortController()
      })
      return held.done
    }
  },
  'the `data` event of a stream that all requests write to': () => {
    const stream = new PassThrough({ objectMode: true })
    stream.on('data', (work) => work())
    return (send) => {
      const held = hold(send)
      stream.write(held.call)
      return held.done
    }
  },
  'the body of an async generator that requests share': () => {
    const list = []
    const sending = (async function* () {
      for (;;) {
        await turn()
        const work = list.pop()
        await work()
        yield
      }
    })()
    return async (send) => {
      const held = hold(send)
      list.push(held.call)
      void sending.next()
      await held.done
    }
  },
  'the work of a memoised promise, such as one flush for all requests': () => {
    const list = []
    let flush
    const flushAll = async () => {
      await turn()
      flush = undefined
      for (const work of list.splice(0)) work()
    }
    return async (send) => {
      const held = hold(send)
      list.push(held.call)
      flush ??= flushAll()
      await flush
      await held.done
    }
  },
  'a loop that the first request starts': shared((work) => {
    let state = 'new'
    return {
      async start() {
        if (state !== 'new') return
        state = 'running'
        while (state === 'running') {
          await turn()
          work()
        }
      },
      close() {
        state = 'closed'
      },
    }
  }),
  '`setInterval` that the first request starts': shared((work) => {
    let timer
    return {
      start() {
        timer ??= setInterval(work, 1)
      },
      close: () => clearInterval(timer),
    }
  }),
  '`setInterval` that starts with the application': shared((work) => {
    const timer = setInterval(work, 1)
    return { close: () => clearInterval(timer) }
  }),
  'messages from a worker thread that all requests share': async () => {
    const worker = new Worker(
      "const { parentPort } = require('node:worker_threads'); parentPort.on('message', (n) => parentPort.postMessage(n))",
      { eval: true },
    )
    await once(worker, 'online')
    const waiting = new Map()
    worker.on('message', (n) => waiting.get(n)())
    return {
      use(send) {
        const held = hold(send)
        waiting.set(waiting.size, held.call)
        worker.postMessage(waiting.size - 1)
        return held.done
      },
      close: () => worker.terminate(),
    }
  },
  "`req.on('end')`": atEvent((request, response, send) => {
    request.resume().on('end', send)
    response.end('ok')
  }),
  "`req.on('close')`": atEvent((request, response, send) => {
    request.resume().on('close', send)
    response.end('ok')
  }),
  "`res.on('finish')`, when the handler ends the response": atEvent((_request, response, send) => {
    response.on('finish', send)
    response.end('ok')
  }),
  "`res.on('close')`, when the handler ends the response": atEvent((_request, response, send) => {
    response.on('close', send)
    response.end('ok')
  }),
  "`res.on('close')`, when the client disconnects": atEvent((request, response, send) => {
    response.on('close', send)
    response.write('o')
    request.resume().on('end', () => request.socket.destroy())
  }),
}
