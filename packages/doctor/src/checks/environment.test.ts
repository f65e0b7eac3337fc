import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { loadsModules } from './environment.js'

it.each([
  ['v18.20.8', false],
  ['v20.18.3', false],
  ['v20.19.0', true],
  ['v20.20.2', true],
  ['v21.7.3', false],
  ['v22.0.0', false],
  ['v22.11.0', false],
  ['v22.12.0', true],
  ['v23.0.0', true],
  ['v24.1.0', true],
])('require() of Node %s loads an ES module: %s', (version, loads) => {
  expect(loadsModules(version)).toBe(loads)
})

it('engines of the packages say the same', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    engines: { node: string }
  }
  expect(manifest.engines.node).toBe('^20.19.0 || >=22.12.0')
})
