// SPDX-License-Identifier: Apache-2.0
// Runs the tests, all or the one named by an argument, and prints a line each.
import * as admin from './admin.js'
import * as data from './data.js'
import * as groups from './groups.js'
import { end } from './kit.js'

const tests = {
  'produce': data.produce,
  'consume-from-beginning': data.consumeFromBeginning,
  'consume-from-time': data.consumeFromTime,
  'group-commit-resume': groups.commitResume,
  'group-balance': groups.balance,
  'compression-gzip': () => data.compression('GZIP'),
  'compression-snappy': () => data.compression('Snappy'),
  'headers': data.headers,
  'null-key-value': data.nullKeyValue,
  'message-1mb': data.message1mb,
  'message-too-large': data.messageTooLarge,
  'idempotent-produce': data.idempotentProduce,
  'admin-topics': admin.topics,
  'admin-create-partitions': admin.createPartitions,
  'admin-configs': admin.configs,
  'admin-groups': groups.administration
}

for (const [name, test] of Object.entries(tests)) {
  if (process.argv[2] && process.argv[2] !== name) continue
  const begin = process.hrtime.bigint()
  let line = `ok ${name}`
  try {
    await test()
  } catch (error) {
    console.log(error)
    line = `not ok ${name} ${String(error.message ?? error).replaceAll('\n', ' ')}`
  }
  await end()
  console.log(`# ${name}: ${(Number(process.hrtime.bigint() - begin) / 1e9).toFixed(1)} s`)
  console.log(line)
}
process.exit(0)
