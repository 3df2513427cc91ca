// SPDX-License-Identifier: Apache-2.0
// Messages: what goes in comes out, where and when it should.
import assert from 'node:assert/strict'
import kafkajs from 'kafkajs'
import { admin, checkFilled, close, fill, producer, read, refused, topic } from './kit.js'

// message.max.bytes 1048588, less a batch header of 61 and 11 of a lone record's own.
const LARGEST_VALUE = 1048588 - 61 - 11

export async function produce () {
  const name = await topic('produce', 3)
  const sender = await producer()
  for (let round = 0; round < 10; round++) {
    const messages = []
    for (let i = 0; i < 9; i++) {
      messages.push({ partition: i % 3, key: 'key', value: `value-${i}` })
    }
    const answer = await sender.send({ topic: name, acks: -1, messages })
    const got = answer.map(one => [one.partition, one.errorCode, one.baseOffset])
    got.sort((a, b) => a[0] - b[0])
    assert.deepEqual(got, [0, 1, 2].map(partition => [partition, 0, `${round * 3}`]), 'answer')
  }
  const { topics } = await (await admin()).fetchTopicMetadata({ topics: [name] })
  assert.equal(topics[0].partitions.length, 3, 'partitions')
  const messages = [{ partition: 0, value: 'v' }]
  const [answer] = await sender.send({ topic: name, acks: 1, messages })
  assert.equal(answer.baseOffset, '30', 'offset with acks 1')
  await sender.send({ topic: name, acks: 0, messages })
  assert.equal((await read(name, 0, 32)).length, 32, 'with acks 1 and 0')
}

export async function consumeFromBeginning () {
  const name = await topic('beginning')
  await fill(name, 1000, 100)
  await checkFilled(name, 0, 1000, 100)
  await checkFilled(name, 733, 1000, 100)
  const offsets = await (await admin()).fetchTopicOffsets(name)
  assert.deepEqual(offsets, [{ partition: 0, offset: '1000', high: '1000', low: '0' }], 'offsets')
  // Out of range: the client asks for the earliest offset then.
  const [message] = await read(name, 7777, 1)
  assert.equal(message.offset, '0', 'reset from out of range')
}

export async function consumeFromTime () {
  const name = await topic('time')
  const base = 1_700_000_000_000
  const sender = await producer()
  // Ten batches, so that an answer lies within one of several.
  for (let batch = 0; batch < 10; batch++) {
    const messages = []
    for (let i = batch * 10; i < batch * 10 + 10; i++) {
      messages.push({ partition: 0, timestamp: `${base + i * 1000}`, value: `${i}` })
    }
    await sender.send({ topic: name, acks: -1, messages })
  }
  const asker = await admin()
  // For a time after the last message the client gives the end.
  for (const [time, want] of [
    [-5, 0], [0, 0], [44_500, 45], [45_000, 45], [99_000, 99], [99_001, 100]
  ]) {
    const found = await asker.fetchTopicOffsetsByTimestamp(name, base + time)
    assert.deepEqual(found, [{ partition: 0, offset: `${want}` }], `offset for ${time}`)
  }
  const [message] = await read(name, 45, 1)
  assert.equal(message.timestamp, `${base + 45_000}`, 'timestamp')
  assert.equal(message.value.toString(), '45', 'value')
}

export async function compression (codec) {
  const name = await topic(`compression-${codec}`)
  await fill(name, 2000, 500, {}, kafkajs.CompressionTypes[codec])
  await checkFilled(name, 0, 2000, 500)
  await checkFilled(name, 1234, 2000, 500)
}

// The client cannot write a null header, and gathers duplicates under their name.
export async function headers () {
  const name = await topic('headers')
  const sent = {
    first: ['one', 'again'], binary: Buffer.from([0, 1, 255]), empty: '', '\u00fcnicode': 'x'
  }
  await (await producer()).send({
    topic: name, acks: -1, messages: [{ partition: 0, key: 'k', value: 'v', headers: sent }]
  })
  const [{ headers }] = await read(name, 0, 1)
  const want = {
    first: [Buffer.from('one'), Buffer.from('again')],
    binary: Buffer.from([0, 1, 255]),
    empty: Buffer.alloc(0),
    '\u00fcnicode': Buffer.from('x')
  }
  assert.deepEqual(headers, want, 'headers')
  assert.deepEqual(Object.keys(headers), Object.keys(want), 'order of headers')
}

export async function nullKeyValue () {
  const name = await topic('null')
  const want = [[null, 'v'], ['k', null], [null, null], ['', ''], ['k', 'v']].map(
    pair => pair.map(text => text === null ? null : Buffer.from(text)))
  const sender = await producer()
  for (const [key, value] of want) {
    await sender.send({ topic: name, acks: -1, messages: [{ partition: 0, key, value }] })
  }
  const got = (await read(name, 0, want.length)).map(({ key, value }) => [key, value])
  assert.deepEqual(got, want, 'keys and values')
}

function large (size) {
  const value = Buffer.alloc(size)
  for (let i = 0; i < size; i++) value[i] = i * 31 + Math.floor(i / 251)
  return value
}

async function sendLarge (topic, size) {
  const sender = await producer({ retry: { retries: 0 } })
  const messages = [{ partition: 0, value: large(size) }]
  const [answer] = await sender.send({ topic, acks: -1, messages })
  await close(sender)
  return answer.baseOffset
}

export async function message1mb () {
  const name = await topic('1mb')
  for (const want of ['0', '1', '2']) {
    assert.equal(await sendLarge(name, LARGEST_VALUE), want, 'offset')
  }
  const want = large(LARGEST_VALUE)
  for (const message of await read(name, 0, 3)) {
    assert.ok(message.value.equals(want), 'the bytes of a large value')
  }
}

export async function messageTooLarge () {
  const name = await topic('too-large')
  for (const size of [LARGEST_VALUE + 1, 2_500_000]) {
    await refused('MESSAGE_TOO_LARGE', sendLarge(name, size), `${size} bytes`)
  }
  assert.equal(await sendLarge(name, 10), '0', 'the first offset after refusals')
}

export async function idempotentProduce () {
  const name = await topic('idempotent')
  const settings = { idempotent: true, maxInFlightRequests: 1 }
  await fill(name, 1000, 50, settings)
  await checkFilled(name, 0, 1000, 50)
  // A second producer, with an id of its own.
  const [answer] = await (await producer(settings)).send({
    topic: name, acks: -1, messages: [{ partition: 0, value: 'last' }]
  })
  assert.equal(answer.baseOffset, '1000', 'next')
}
