/**
 * Prints one line, 'N passed, N failed', over the reports that vitest wrote to the files given as arguments.
 * Exits with 1 if a test failed or none ran. A test file that failed outside its tests counts as one failure.
 */
import { existsSync, readFileSync } from 'node:fs'

const count = { passed: 0, failed: 0, skipped: 0 }
for (const path of process.argv.slice(2).filter((path) => existsSync(path))) {
  for (const file of JSON.parse(readFileSync(path, 'utf8')).testResults) {
    const statuses = file.assertionResults.map((test) => test.status)
    if (file.status === 'failed' && !statuses.includes('failed')) statuses.push('failed')
    for (const status of statuses) count[status in count ? status : 'skipped']++
  }
}

const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
console.log(`${count.passed} passed, ${count.failed} failed${skipped}`)
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0
