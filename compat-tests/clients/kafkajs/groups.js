// SPDX-License-Identifier: Apache-2.0
// Consumer groups: positions that outlive a consumer, members, and their administration.
import assert from 'node:assert/strict'
import kafkajs from 'kafkajs'
import { admin, becomes, close, consumer, fill, name, refused, run, topic } from './kit.js'

async function member (groupId, topic, options) {
  const made = await consumer({ groupId }, options)
  await made.subscribe({ topics: [topic], fromBeginning: true })
  return made
}

export async function commitResume () {
  const resumed = await topic('resume')
  const groupId = name('resume-group')
  await fill(resumed, 100, 10)
  const asker = await admin()
  const committed = async () => {
    const [{ partitions }] = await asker.fetchOffsets({ groupId, topics: [resumed] })
    return `${partitions[0].offset} ${partitions[0].metadata ?? ''}`.trim()
  }
  assert.equal(await committed(), '-1', 'before')
  const first = await member(groupId, resumed)
  const taken = await (await run(first)).take(40)
  assert.deepEqual(taken.map(one => one.offset), Array.from({ length: 40 }, (_, i) => `${i}`))
  await first.commitOffsets([{ topic: resumed, partition: 0, offset: '40', metadata: 'a note' }])
  assert.equal(await committed(), '40 a note', 'committed')
  await close(first)

  const second = await member(groupId, resumed)
  const rest = await (await run(second)).take(60)
  assert.equal(rest[0].offset, '40', 'where it goes on')
  assert.equal(rest[59].offset, '99', 'the end')
  await second.commitOffsets([{ topic: resumed, partition: 0, offset: '100' }])
  assert.equal(await committed(), '100', 'end')
  await close(second)
}

export async function balance () {
  const shared = await topic('balance', 6)
  const groupId = name('balance-group')
  const members = []
  const settle = want => becomes(members.map(() => want).join(),
    () => members.map(one => one.owned).join(), 'partitions of each member')
  for (const want of [6, 3, 2]) {
    const one = { consumer: await member(groupId, shared), owned: 0 }
    one.consumer.on(one.consumer.events.GROUP_JOIN, ({ payload }) => {
      one.owned = (payload.memberAssignment[shared] ?? []).length
    })
    members.push(one)
    await run(one.consumer)
    await settle(want)
  }
  for (const want of [3, 6]) {
    await close(members.pop().consumer)
    await settle(want)
  }
}

export async function administration () {
  const topicName = await topic('groups')
  const group = name('group')
  await fill(topicName, 5, 5)
  const asker = await admin()
  const describe = async () => (await asker.describeGroups([group])).groups[0]
  const listed = async () => (await asker.listGroups()).groups.find(one => one.groupId === group)
  const one = await member(group, topicName, { clientId: 'node-suite' })
  await (await run(one)).take(5)
  await one.commitOffsets([{ topic: topicName, partition: 0, offset: '5' }])

  assert.deepEqual(await listed(), { groupId: group, protocolType: 'consumer' }, 'listed')
  let described = await describe()
  assert.equal(described.state, 'Stable', 'state')
  assert.equal(described.protocol, 'RoundRobinAssigner', 'protocol')
  assert.equal(described.members.length, 1, 'members')
  const [first] = described.members
  assert.equal(first.clientId, 'node-suite', 'client id')
  assert.equal(first.clientHost, '/127.0.0.1', 'host')
  const { assignment } = kafkajs.AssignerProtocol.MemberAssignment.decode(first.memberAssignment)
  assert.deepEqual(assignment, { [topicName]: [0] }, 'assignment')
  await refused('NON_EMPTY_GROUP', asker.deleteGroups([group]), 'delete of a living group')

  await close(one)
  described = await describe()
  assert.equal(described.state, 'Empty', 'state when all left')
  assert.equal(described.members.length, 0, 'members when all left')
  await asker.deleteGroups([group])
  assert.equal(await listed(), undefined, 'still listed')
  assert.equal((await describe()).state, 'Dead', 'state of no group')
  await refused('GROUP_ID_NOT_FOUND', asker.deleteGroups([group]), 'delete of no group')
}
