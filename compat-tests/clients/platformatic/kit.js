// SPDX-License-Identifier: Apache-2.0
// What the tests share: clients on $BOOTSTRAP, names of this run, waits, and assertions.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin, Consumer, Producer } from '@platformatic/kafka'

const LIMIT_MS = 30_000
const open = []

// Thrown by a test that this Node.js cannot do; the message says why.
export class Skip extends Error {}

export function name (what) {
  return `${process.env.RUN_ID}-${what}`
}

function client (Kind, settings) {
  const made = new Kind({
    clientId: 'suite',
    bootstrapBrokers: [process.env.BOOTSTRAP],
    timeout: LIMIT_MS,
    retries: 20,
    retryDelay: 20,
    metadataMaxAge: 0,
    ...settings
  })
  open.push(made)
  return made
}

export const admin = settings => client(Admin, settings)
export const producer = settings => client(Producer, settings)
export const consumer = settings => client(Consumer, {
  groupId: name(`reader-${open.length}-${Date.now()}`),
  autocommit: false,
  heartbeatInterval: 100,
  maxWaitTime: 100,
  ...settings
})

// Closes what the test made and has not closed itself.
export async function end () {
  for (const one of open.splice(0)) {
    if (one.closed) continue
    // By force, where something is under way still; admin clients have nothing to be forced.
    const closing = one instanceof Admin ? one.close() : one.close(true)
    await within(closing, 'close').catch(error => console.log(error))
  }
}

// The promise, but no longer than the limit.
export async function within (promise, what) {
  const stop = new AbortController()
  const late = sleep(LIMIT_MS, null, { signal: stop.signal }).then(
    () => { throw new Error(`${what}: nothing within ${LIMIT_MS} ms`) }, () => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    stop.abort()
  }
}

// Asks until the answer is the wanted one. A write is answered when the metadata log has it; a
// broker's reads show it once the broker has replayed that, a moment later.
export async function becomes (want, ask, what) {
  const until = Date.now() + LIMIT_MS
  let got = await ask()
  while (got !== want && Date.now() < until) {
    await sleep(5)
    got = await ask()
  }
  assert.equal(got, want, what)
}

// The names of the protocol's errors anywhere within an error of the client.
function protocolErrors (error) {
  return [error, ...(error.errors ?? []), error.cause].filter(Boolean).flatMap(
    one => one === error ? [one.apiId].filter(Boolean) : protocolErrors(one))
}

// The attempt must fail with that error of the protocol.
export async function refused (want, attempt, what) {
  let got = 'success'
  try {
    await attempt
  } catch (error) {
    got = protocolErrors(error)[0] ?? error.message
  }
  assert.equal(got, want, what)
}

// Creates a topic and waits until its leader serves every partition. Returns its name.
export async function topic (what, partitions = 1) {
  const topic = name(what)
  const creator = admin()
  await creator.createTopics({ topics: [topic], partitions, replicas: 1 })
  await creator.listOffsets({
    topics: [{
      name: topic,
      partitions: Array.from({ length: partitions }, (_, i) => ({ partitionIndex: i, timestamp: -1n }))
    }]
  })
  await creator.close()
  return topic
}

// The value of message i: its number, then letters that compress well but differ with i.
export function value (i, pad) {
  let text = `${i}.`
  for (let p = 0; p < pad; p++) text += String.fromCharCode(97 + (i + Math.floor(p / 8)) % 26)
  return Buffer.from(text)
}

// Produces value(i) for i below count to partition 0, keyless, in batches of 100; the answers tell
// offsets 0, 100, ….
export async function fill (topic, count, pad, settings) {
  const sender = producer({ acks: -1, ...settings })
  for (let i = 0; i < count; i += 100) {
    const messages = []
    for (let m = i; m < Math.min(count, i + 100); m++) {
      messages.push({ topic, partition: 0, value: value(m, pad) })
    }
    const { offsets } = await sender.send({ messages })
    assert.deepEqual(offsets, [{ topic, partition: 0, offset: BigInt(i) }], 'offset of a batch')
  }
  await sender.close()
}

// The next `count` messages of a stream, which stays open.
export async function take (stream, count) {
  const taken = []
  const iterator = stream.iterator({ destroyOnReturn: false })
  while (taken.length < count) {
    const { value, done } = await within(iterator.next(), `message ${taken.length} of ${count}`)
    assert.ok(!done, 'the stream ended')
    taken.push(value)
  }
  return taken
}

// `count` messages of partition 0 from an offset.
export async function read (topic, from, count) {
  const reader = consumer()
  const stream = await reader.consume({
    topics: [topic], mode: 'manual', offsets: [{ topic, partition: 0, offset: BigInt(from) }]
  })
  const taken = await take(stream, count)
  await stream.close()
  await reader.close()
  return taken
}

export async function checkFilled (topic, from, count, pad) {
  const messages = await read(topic, from, count - from)
  messages.forEach((message, m) => {
    assert.equal(message.offset, BigInt(from + m), 'offset')
    assert.deepEqual(message.value, value(from + m, pad), `value at offset ${from + m}`)
  })
}
