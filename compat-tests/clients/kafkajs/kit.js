// SPDX-License-Identifier: Apache-2.0
// What the tests share: clients on $BOOTSTRAP, names of this run, waits, and assertions.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import snappy from 'kafkajs-snappy'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs
CompressionCodecs[CompressionTypes.Snappy] = snappy

const LIMIT_MS = 30_000
const open = []
let readers = 0

export function name (what) {
  return `${process.env.RUN_ID}-${what}`
}

async function client (kind, settings, { retries = 20, clientId = 'suite' } = {}) {
  const kafka = new Kafka({
    clientId,
    brokers: [process.env.BOOTSTRAP],
    logLevel: logLevel.NOTHING,
    requestTimeout: LIMIT_MS,
    retry: { retries, initialRetryTime: 20, maxRetryTime: 200 }
  })
  const made = kafka[kind](settings)
  await within(made.connect(), 'connect')
  open.push(made)
  return made
}

export const admin = options => client('admin', undefined, options)
export const producer = (settings, options) => client('producer', settings, options)
export const consumer = (settings, options) => client('consumer', {
  groupId: name(`reader-${readers++}`), heartbeatInterval: 100, maxWaitTimeInMs: 100, ...settings
}, options)

export async function close (one) {
  open.splice(open.indexOf(one), 1)
  await within(one.disconnect(), 'disconnect')
}

// Closes what the test made and has not closed itself.
export async function end () {
  for (const one of [...open]) await close(one).catch(error => console.log(error))
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
  if (error.type) return [error.type]
  const groups = (error.groups ?? []).map(group => group.error)
  return [...(error.errors ?? []), ...groups, error.cause].filter(Boolean).flatMap(protocolErrors)
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
export async function topic (what, numPartitions = 1) {
  const topic = name(what)
  const creator = await admin()
  await creator.createTopics({
    waitForLeaders: false, topics: [{ topic, numPartitions, replicationFactor: 1 }]
  })
  // The client would not wait for a topic that Metadata does not show yet, nor for one that it
  // shows already, but which is not served yet.
  await becomes(numPartitions, () => creator.fetchTopicOffsets(topic).then(
    offsets => offsets.length, error => error.type), 'partitions that are served')
  await close(creator)
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
export async function fill (topic, count, pad, settings, compression) {
  const sender = await producer(settings)
  for (let i = 0; i < count; i += 100) {
    const messages = []
    for (let m = i; m < Math.min(count, i + 100); m++) {
      messages.push({ partition: 0, value: value(m, pad) })
    }
    const answer = await sender.send({ topic, acks: -1, compression, messages })
    assert.deepEqual(answer.map(one => [one.partition, one.baseOffset]), [[0, `${i}`]], 'offset')
  }
  await close(sender)
}

// Runs a subscribed member; `take(count)` of what it returns gives its next messages, in order.
export async function run (member) {
  const messages = []
  let wake = () => {}
  await within(member.run({
    autoCommit: false,
    eachMessage: async ({ message, partition }) => {
      messages.push({ ...message, partition })
      wake()
    }
  }), 'run')
  return {
    async take (count) {
      const enough = new Promise(resolve => {
        wake = () => { if (messages.length >= count) resolve() }
        wake()
      })
      await within(enough, `${count} messages`)
      return messages.splice(0, count)
    }
  }
}

// `count` messages of partition 0 from an offset. It is sought as soon as the reader is a member of
// its group, which is before its first fetch.
export async function read (topic, from, count) {
  const reader = await consumer()
  await reader.subscribe({ topics: [topic], fromBeginning: true })
  if (from > 0) {
    reader.on(reader.events.GROUP_JOIN,
      () => reader.seek({ topic, partition: 0, offset: `${from}` }))
  }
  const messages = await (await run(reader)).take(count)
  await close(reader)
  return messages
}

export async function checkFilled (topic, from, count, pad) {
  const messages = await read(topic, from, count - from)
  messages.forEach((message, m) => {
    assert.equal(message.offset, `${from + m}`, 'offset')
    assert.deepEqual(message.value, value(from + m, pad), `value at offset ${from + m}`)
  })
}
