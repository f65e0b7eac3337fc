import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { PostmarkFields } from '../vocabulary/vocabulary.js'
import type { ScopeFields } from './context.js'
import {
  capturePostmark,
  claim,
  contextLevels,
  currentPostmark,
  runWithPostmark,
  updatePostmark,
} from './context.js'

async function currentLater() {
  await turn()
  return currentPostmark()
}

const problemsHere = () => contextLevels().flatMap(({ problems }) => problems)

describe('runWithPostmark', () => {
  it('returns what the function returned', async () => {
    expect(runWithPostmark({ tag: 'a' }, () => 7)).toBe(7)
    expect(await runWithPostmark({ tag: 'a' }, async () => currentPostmark())).toEqual({ tag: 'a' })
  })

  it('throws what the function threw, and closes the scope', () => {
    const failure = new Error('failed')
    expect(() =>
      runWithPostmark({ tag: 'a' }, () => {
        throw failure
      }),
    ).toThrow(failure)
    expect(currentPostmark()).toBeUndefined()
  })

  it('keeps the scope over every kind of waiting', async () => {
    const seen = await runWithPostmark({ tag: 'a' }, async () => {
      await null
      await turn()
      const inTimer = await new Promise((resolve) => setTimeout(() => resolve(currentPostmark()), 0))
      const inMicrotask = await new Promise((resolve) => queueMicrotask(() => resolve(currentPostmark())))
      return [inTimer, inMicrotask, currentPostmark()]
    })
    expect(seen).toEqual([{ tag: 'a' }, { tag: 'a' }, { tag: 'a' }])
  })

  it('nests: the inner scope wins, metadata joins, and the outer one is there again after', () => {
    runWithPostmark({ tag: 'outer', trackOpens: true, metadata: { A: '1', b: '1' } }, () => {
      runWithPostmark({ tag: 'inner', metadata: { a: '2' } }, () => {
        expect(currentPostmark()).toEqual({ tag: 'inner', trackOpens: true, metadata: { a: '2', b: '1' } })
      })
      expect(currentPostmark()).toEqual({ tag: 'outer', trackOpens: true, metadata: { A: '1', b: '1' } })
    })
    expect(currentPostmark()).toBeUndefined()
  })

  it('clears with null what outer scopes set', () => {
    runWithPostmark({ tag: 'outer', metadata: { a: '1', b: '1' } }, () => {
      expect(runWithPostmark({ tag: null, metadata: { A: null } }, currentPostmark)).toEqual({
        metadata: { b: '1' },
      })
      expect(runWithPostmark({ metadata: null }, currentPostmark)).toEqual({ tag: 'outer' })
    })
  })

  it('starts clean with inherit: false, also for scopes inside', () => {
    runWithPostmark({ tag: 'outer', metadata: { a: '1' } }, () => {
      runWithPostmark(
        { trackOpens: true },
        () => {
          expect(currentPostmark()).toEqual({ trackOpens: true })
          expect(runWithPostmark({ keepId: true }, currentPostmark)).toEqual({
            trackOpens: true,
            keepId: true,
          })
        },
        { inherit: false },
      )
      expect(runWithPostmark({}, currentPostmark, { inherit: true })).toEqual({
        tag: 'outer',
        metadata: { a: '1' },
      })
      expect(currentPostmark()).toEqual({ tag: 'outer', metadata: { a: '1' } })
    })
  })

  it('has fixed the fields when it returns, whatever the caller does to the object', async () => {
    const metadata: Record<string, string> = { a: '1' }
    const fields: { tag: string; metadata: Record<string, string> } = { tag: 'a', metadata }
    const seen = runWithPostmark(fields, async () => {
      await null
      return currentPostmark()
    })
    fields.tag = 'b'
    metadata.a = '2'
    metadata.b = '2'
    expect(await seen).toEqual({ tag: 'a', metadata: { a: '1' } })
  })

  it('never throws over fields: what is wrong is a problem of the email', () => {
    const bad = { tag: ['a'], metadata: { 'a b': '1', ok: '2' }, tags: 'x' } as unknown as PostmarkFields
    runWithPostmark(bad, () => {
      expect(currentPostmark()).toEqual({ metadata: { ok: '2' } })
      expect(problemsHere().map(({ path }) => path)).toEqual([
        'context.tag',
        'context.metadata["a b"]',
        'context.tags',
      ])
    })
    expect(runWithPostmark(null as unknown as PostmarkFields, currentPostmark)).toEqual({})
  })

  it('keeps interleaved scopes apart', async () => {
    const request = (id: number) =>
      runWithPostmark({ tag: `t${id}`, metadata: { id } }, async () => {
        const seen = [currentPostmark()]
        for (let round = 0; round < 5; round++) {
          await turn()
          updatePostmark({ metadata: { [`r${round}`]: id } })
          seen.push(await runWithPostmark({ tag: `t${id}.${round}` }, currentLater))
        }
        return [...seen, currentPostmark()]
      })
    const all = await Promise.all(Array.from({ length: 20 }, (_, id) => request(id)))
    all.forEach((seen, id) => {
      expect(seen[0]).toEqual({ tag: `t${id}`, metadata: { id: `${id}` } })
      expect(seen.at(-2)?.tag).toBe(`t${id}.4`)
      expect(seen.at(-1)?.tag).toBe(`t${id}`)
      expect(Object.values(seen.at(-1)?.metadata ?? {})).toEqual(Array(6).fill(`${id}`))
    })
    expect(currentPostmark()).toBeUndefined()
  })
})

describe('a context function', () => {
  it('is called once for each reading of the levels, and not before', () => {
    let calls = 0
    const fields = () => ({ tag: `call ${++calls}` })
    runWithPostmark(fields, () => {
      expect(calls).toBe(0)
      expect(contextLevels().map(({ fields: { tag } }) => tag)).toEqual(['call 1'])
      expect(currentPostmark()).toEqual({ tag: 'call 2' })
      runWithPostmark({ trackOpens: true }, () => expect(contextLevels()).toHaveLength(2))
    })
    expect(calls).toBe(3)
  })

  it('tells what holds at that moment', () => {
    const request: { user?: string } = {}
    runWithPostmark(
      () => ({ metadata: { user: request.user } }),
      () => {
        expect(currentPostmark()).toEqual({})
        request.user = 'u1'
        expect(currentPostmark()).toEqual({ metadata: { user: 'u1' } })
      },
    )
  })

  const lost: readonly (readonly [string, ScopeFields, string])[] = [
    [
      'throws an error',
      () => {
        throw new TypeError('no user')
      },
      'threw TypeError',
    ],
    [
      'throws text',
      () => {
        AbortSignal.abort('no user').throwIfAborted()
        return {}
      },
      'threw a value',
    ],
    ['returns a promise', (async () => ({ tag: 'late' })) as unknown as ScopeFields, 'returned a promise'],
    [
      'returns a promise that fails',
      (async () => {
        throw new Error('late')
      }) as unknown as ScopeFields,
      'returned a promise',
    ],
  ]
  it.each(lost)('that %s loses its layer alone, with a warning', async (_title, fields, found) => {
    runWithPostmark({ tag: 'outer', metadata: { a: '1' } }, () =>
      runWithPostmark(fields, () =>
        runWithPostmark({ trackOpens: true }, () => {
          expect(currentPostmark()).toEqual({ tag: 'outer', metadata: { a: '1' }, trackOpens: true })
          expect(problemsHere()).toEqual([
            {
              path: 'context',
              found,
              limit: 'a function that returns fields',
              cure: expect.any(String),
              severity: 'warning',
            },
          ])
        }),
      ),
    )
    // A rejection that nobody handles would fail this run.
    await turn()
  })

  it('never shows the message of what it threw, which may be private', () => {
    const fields = () => {
      throw new Error('user 4711')
    }
    runWithPostmark(fields, () => expect(JSON.stringify(problemsHere())).not.toContain('4711'))
  })

  it.each([[undefined], [null], [{}]])('may return %j', (nothing) => {
    runWithPostmark(
      () => nothing,
      () => {
        expect(currentPostmark()).toEqual({})
        expect(problemsHere()).toEqual([])
      },
    )
  })

  it('that reads currentPostmark sees the scopes around its own, without a circle', () => {
    const seen: unknown[] = []
    const fields = () => {
      const outer = currentPostmark()
      seen.push(outer)
      return { tag: `${outer?.tag}/inner` }
    }
    runWithPostmark({ tag: 'outer' }, () =>
      runWithPostmark(fields, () =>
        runWithPostmark({ tag: 'innermost' }, () => {
          expect(contextLevels().map((level) => level.fields.tag)).toEqual([
            'outer',
            'outer/inner',
            'innermost',
          ])
        }),
      ),
    )
    expect(runWithPostmark(fields, currentPostmark)).toEqual({ tag: 'undefined/inner' })
    expect(seen).toEqual([{ tag: 'outer' }, undefined])
  })

  it('that updates has no effect on its own scope', () => {
    const results: boolean[] = []
    runWithPostmark(
      () => {
        results.push(updatePostmark({ tag: 'x' }))
        return {}
      },
      () => expect(currentPostmark()).toEqual({}),
    )
    expect(results).toEqual([false])
  })
})

describe('updatePostmark', () => {
  it('does nothing outside any scope', () => {
    expect(updatePostmark({ tag: 'a' })).toBe(false)
    expect(currentPostmark()).toBeUndefined()
  })

  const updates: readonly (readonly [string, readonly PostmarkFields[], PostmarkFields])[] = [
    [
      'adds a field',
      [{ trackOpens: true }],
      { tag: 'outer', trackOpens: true, metadata: { a: '1', b: '1' } },
    ],
    ['replaces a field', [{ tag: 'new' }], { tag: 'new', metadata: { a: '1', b: '1' } }],
    ['keeps what it does not name', [{ tag: undefined }, {}], { tag: 'outer', metadata: { a: '1', b: '1' } }],
    [
      'joins metadata, and takes the new spelling',
      [{ metadata: { A: '2', c: '2' } }],
      { tag: 'outer', metadata: { A: '2', b: '1', c: '2' } },
    ],
    [
      'joins metadata of several updates',
      [{ metadata: { c: '2' } }, { metadata: { d: '3' } }],
      { tag: 'outer', metadata: { a: '1', b: '1', c: '2', d: '3' } },
    ],
    ['clears a field with null', [{ tag: null }], { metadata: { a: '1', b: '1' } }],
    [
      'sets a field after it was cleared',
      [{ tag: null }, { tag: 'new' }],
      { tag: 'new', metadata: { a: '1', b: '1' } },
    ],
    ['clears a metadata key with null', [{ metadata: { A: null } }], { tag: 'outer', metadata: { b: '1' } }],
    ['clears all metadata with null', [{ metadata: null }], { tag: 'outer' }],
    [
      'clears earlier updates of metadata too',
      [{ metadata: { c: '2' } }, { metadata: null }],
      { tag: 'outer' },
    ],
    [
      'adds metadata after all was cleared',
      [{ metadata: null }, { metadata: { c: '2' } }],
      { tag: 'outer', metadata: { c: '2' } },
    ],
    [
      'keeps other fields of an update that clears metadata',
      [{ tag: 'new' }, { metadata: null, trackOpens: true }],
      { tag: 'new', trackOpens: true },
    ],
    [
      'clears metadata twice',
      [{ metadata: null }, { metadata: { c: '2' } }, { metadata: null }],
      { tag: 'outer' },
    ],
    [
      'reads keepId false as cleared',
      [{ keepId: true }, { keepId: false }],
      { tag: 'outer', metadata: { a: '1', b: '1' } },
    ],
  ]
  it.each(updates)('%s', (_title, steps, fields) => {
    const here = runWithPostmark({ tag: 'outer', metadata: { a: '1', b: '1' } }, () => {
      for (const step of steps) expect(updatePostmark(step)).toBe(true)
      return currentPostmark()
    })
    expect(here).toEqual(fields)
    const inner = runWithPostmark({ tag: 'outer', metadata: { a: '1', b: '1' } }, () =>
      runWithPostmark({}, () => {
        for (const step of steps) updatePostmark(step)
        return currentPostmark()
      }),
    )
    expect(inner).toEqual(fields)
  })

  it('changes the innermost scope alone', () => {
    runWithPostmark({ tag: 'outer' }, () => {
      runWithPostmark({ trackOpens: true }, () => {
        updatePostmark({ tag: 'changed', metadata: null })
        expect(currentPostmark()).toEqual({ tag: 'changed', trackOpens: true })
      })
      expect(currentPostmark()).toEqual({ tag: 'outer' })
    })
  })

  it('is seen by what runs in the scope already, and by scopes inside', async () => {
    await runWithPostmark({ tag: 'a' }, async () => {
      const later = currentLater()
      const inside = runWithPostmark({ trackOpens: true }, currentLater)
      updatePostmark({ tag: 'b' })
      expect(await Promise.all([later, inside])).toEqual([{ tag: 'b' }, { tag: 'b', trackOpens: true }])
    })
  })

  it('wins over the function of its scope', () => {
    runWithPostmark(
      () => ({ tag: 'function', metadata: { a: '1' } }),
      () => {
        updatePostmark({ tag: 'update', metadata: { b: '2' } })
        expect(currentPostmark()).toEqual({ tag: 'update', metadata: { a: '1', b: '2' } })
      },
    )
  })

  it('keeps its problems until the field is set again wrongly, and tells each once', () => {
    runWithPostmark({}, () => {
      const long = { tag: 'x'.repeat(1001) }
      updatePostmark(long)
      updatePostmark(long)
      updatePostmark({ metadata: { 'a b': '1' } })
      expect(problemsHere().map(({ path }) => path)).toEqual(['context.tag', 'context.metadata["a b"]'])
    })
  })

  it('is not changed by later mutation of what it was given', () => {
    runWithPostmark({}, () => {
      const fields = { metadata: { a: '1' } }
      updatePostmark(fields)
      fields.metadata.a = '2'
      expect(currentPostmark()).toEqual({ metadata: { a: '1' } })
    })
  })
})

describe('currentPostmark', () => {
  it('is plain JSON that opens the same scope elsewhere', () => {
    const fields: PostmarkFields = JSON.parse(
      '{ "tag": "a", "keepId": true, "trackOpens": false, "metadata": { "n": 0, "B": false, "__proto__": "x", "gone": null } }',
    )
    const carried = runWithPostmark({ messageStream: 'news' }, () =>
      runWithPostmark(
        () => fields,
        () => {
          updatePostmark({ trackLinks: 'None' })
          return currentPostmark()
        },
      ),
    )
    const text = JSON.stringify(carried)
    expect(JSON.parse(text)).toStrictEqual(carried)
    const there = runWithPostmark({ tag: 'stranger', metadata: { stranger: '1' } }, () =>
      runWithPostmark(JSON.parse(text), currentPostmark, { inherit: false }),
    )
    expect(there).toStrictEqual(carried)
    expect(Object.entries(there?.metadata ?? {})).toEqual([
      ['n', '0'],
      ['B', 'false'],
      ['__proto__', 'x'],
    ])
  })

  it('is a value of its own: a change to it changes no scope', () => {
    runWithPostmark({ metadata: { a: '1' } }, () => {
      const mine = currentPostmark() as { metadata: Record<string, string> }
      mine.metadata.a = '2'
      expect(currentPostmark()).toEqual({ metadata: { a: '1' } })
    })
  })

  it('gives no fields in a scope without any', () => {
    expect(runWithPostmark({}, currentPostmark)).toEqual({})
  })
})

describe('contextLevels', () => {
  it('lists the levels from the outermost, and counts scopes from the innermost', () => {
    runWithPostmark({ tag: 'a' }, () => {
      updatePostmark({ tag: 'b' })
      runWithPostmark({ tag: 'c' }, () => {
        expect(contextLevels().map(({ scope, fields }) => [scope, fields])).toEqual([
          [1, { tag: 'a' }],
          [1, { tag: 'b' }],
          [0, { tag: 'c' }],
        ])
      })
    })
    expect(contextLevels()).toEqual([])
  })
})

describe('two copies of core in one process', () => {
  it('share the context', async () => {
    const other: typeof import('./context.js') = await import('./context.js?copy=2' as './context.js')
    expect(other.runWithPostmark).not.toBe(runWithPostmark)
    runWithPostmark({ tag: 'a' }, () => {
      expect(other.currentPostmark()).toEqual({ tag: 'a' })
      other.runWithPostmark({ trackOpens: true }, () => {
        expect(updatePostmark({ tag: 'b' })).toBe(true)
        expect(currentPostmark()).toEqual({ tag: 'b', trackOpens: true })
        expect(other.currentPostmark()).toEqual({ tag: 'b', trackOpens: true })
      })
      expect(other.runWithPostmark({ keepId: true }, currentPostmark, { inherit: false })).toEqual({
        keepId: true,
      })
    })
  })

  it('share what was compiled, so that the step works once', async () => {
    const other: typeof import('./context.js') = await import('./context.js?copy=3' as './context.js')
    const mail = {}
    expect([claim(mail), claim(mail), other.claim(mail), other.claim({})]).toEqual([true, false, false, true])
  })
})

describe('capturePostmark', () => {
  it('brings the scope to code that is called outside it, with what was added since', () => {
    const reenter = runWithPostmark({ tag: 'a' }, () => {
      const captured = capturePostmark()
      updatePostmark({ metadata: { late: '1' } })
      return captured
    })
    expect(reenter(currentPostmark)).toEqual({ tag: 'a', metadata: { late: '1' } })
    expect(runWithPostmark({ tag: 'other' }, () => reenter(currentPostmark))).toMatchObject({ tag: 'a' })
    expect(currentPostmark()).toBeUndefined()
  })

  it('leaves a scope open that was opened below it', () => {
    runWithPostmark({ tag: 'a', trackOpens: true }, () => {
      const reenter = capturePostmark()
      runWithPostmark({ tag: 'b' }, () => {
        expect(reenter(currentPostmark)).toEqual({ tag: 'b', trackOpens: true })
      })
    })
  })

  it('captured outside any scope, runs outside any', () => {
    const reenter = capturePostmark()
    expect(runWithPostmark({ tag: 'a' }, () => reenter(currentPostmark))).toBeUndefined()
  })
})
