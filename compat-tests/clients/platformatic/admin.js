// SPDX-License-Identifier: Apache-2.0
// Topics, partitions and configs by the admin client, and what it is refused.
import assert from 'node:assert/strict'
import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka'
import { admin, becomes, checkFilled, fill, name, refused, topic } from './kit.js'

const { SET, DELETE, APPEND } = IncrementalAlterConfigOperationTypes
// The numbers of the protocol for where a config's value comes from.
const DYNAMIC_TOPIC = 1
const DEFAULT = 5

async function partitions (asker, topic) {
  const found = (await asker.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic)
  for (const { leader, replicas, isr } of found.partitions) {
    assert.deepEqual([leader, replicas, isr], [1, [1], [1]], 'leader, replicas, in-sync')
  }
  return found.partitionsCount
}

export async function topics () {
  const topicName = name('admin')
  const other = name('other')
  const asker = admin()
  const [created] = await asker.createTopics({
    topics: [topicName], partitions: 4, replicas: 1, configs: [{ name: 'segment.bytes', value: '2000000' }]
  })
  assert.equal(created.name, topicName, 'name, in the answer')
  assert.equal(created.partitions, 4, 'partitions, in the answer')
  assert.equal(created.configuration['segment.bytes'], '2000000', 'config, in the answer')
  const listed = async () => (await asker.listTopics()).includes(topicName)
  await becomes(true, listed, 'listed')
  assert.equal(await partitions(asker, topicName), 4, 'partitions')

  const once = admin({ retries: 0 })
  const create = (topic, settings) =>
    once.createTopics({ topics: [topic], partitions: 1, replicas: 1, ...settings })
  const config = (name, value) => ({ configs: [{ name, value }] })
  await refused('TOPIC_ALREADY_EXISTS', create(topicName), 'again')
  await refused('INVALID_TOPIC_EXCEPTION', create('..'), 'a bad name')
  await refused('INVALID_REPLICATION_FACTOR', create(other, { replicas: 2 }), 'replicas')
  await refused('INVALID_CONFIG', create(other, config('retention.ms', 'soon')), 'a bad value')
  await refused('INVALID_CONFIG', create(other, config('no.such.key', '1')), 'no such key')

  await asker.deleteTopics({ topics: [topicName] })
  await becomes(false, listed, 'deleted, but listed')
  await refused('UNKNOWN_TOPIC_OR_PARTITION', once.deleteTopics({ topics: [topicName] }),
    'delete of no topic')
  // The name is free again, and what was in the old topic is not in the new one.
  await topic('admin')
  await fill(topicName, 5, 5)
  await checkFilled(topicName, 0, 5, 5)
}

export async function createPartitions () {
  const topicName = await topic('grow', 2)
  const asker = admin()
  const once = admin({ retries: 0 })
  const grow = (name, count) => once.createPartitions({ topics: [{ name, count, assignments: null }] })
  await grow(topicName, 5)
  await becomes(5, () => partitions(asker, topicName), 'partitions')
  await refused('INVALID_PARTITIONS', grow(topicName, 3), 'fewer')
  await refused('INVALID_PARTITIONS', grow(topicName, 5), 'as many')
  await refused('UNKNOWN_TOPIC_OR_PARTITION', grow(name('none'), 5), 'no topic')
}

export async function configs () {
  const topicName = await topic('configs')
  const asker = admin({ retries: 0 })
  const get = async (resourceName, key) => {
    const [{ configs }] = await asker.describeConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName, configurationKeys: [key] }]
    })
    assert.deepEqual(configs.map(one => one.name), [key], 'only the key asked for')
    return `${configs[0].value} of ${configs[0].configSource}`
  }
  const alter = (resourceName, name, configOperation, value) =>
    asker.incrementalAlterConfigs({
      resources: [{
        resourceType: ConfigResourceTypes.TOPIC, resourceName, configs: [{ name, configOperation, value }]
      }]
    })
  const valueBecomes = (key, value, source) =>
    becomes(`${value} of ${source}`, () => get(topicName, key), key)
  await valueBecomes('retention.ms', '604800000', DEFAULT)
  await alter(topicName, 'retention.ms', SET, '12345')
  await valueBecomes('retention.ms', '12345', DYNAMIC_TOPIC)
  await alter(topicName, 'cleanup.policy', APPEND, 'compact')
  await valueBecomes('cleanup.policy', 'delete,compact', DYNAMIC_TOPIC)
  await valueBecomes('retention.ms', '12345', DYNAMIC_TOPIC)
  await alter(topicName, 'retention.ms', DELETE, null)
  await valueBecomes('retention.ms', '604800000', DEFAULT)
  for (const [key, bad] of [['retention.ms', 'soon'], ['cleanup.policy', 'burn'], ['no.such.key', '1']]) {
    await refused('INVALID_CONFIG', alter(topicName, key, SET, bad), `${key}=${bad}`)
  }
  const unknown = 'UNKNOWN_TOPIC_OR_PARTITION'
  await refused(unknown, alter(name('none'), 'retention.ms', SET, '1'), 'no topic')
  await refused(unknown, get(name('none'), 'retention.ms'), 'describe of no topic')
}
