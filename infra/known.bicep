// What graph-to-open.toml says, read when a parameter file is compiled: one `key = value` a line, each value as JSON writes it,
// comments on lines of their own. A value that is none fails the compilation, a line without `=` is passed over.

import {
  alertsDefaults
  botDefaults
  capacityDefaults
  handlerDefaults
  logsDefaults
  networkDefaults
  retentionDefaults
} from './types.bicep'

var lines = filter(split(replace(loadTextContent('../graph-to-open.toml'), '\r', ''), '\n'), line => contains(line, '=') && !startsWith(trim(line), '#'))
var said = toObject(lines, line => trim(first(split(line, '='))), line => json(trim(join(skip(split(line, '='), 1), '='))))

@description('Everything that the file says; an empty text says nothing.')
@export()
var known = toObject(filter(items(said), it => string(it.value) != ''), it => it.key, it => it.value)

@description('What can be chosen, and is so where nobody chose.')
@export()
var defaults = {
  handler: handlerDefaults
  retention: retentionDefaults
  capacity: capacityDefaults
  network: networkDefaults
  logs: logsDefaults
  alerts: alertsDefaults
  bot: botDefaults
}

@description('What of it the file chooses.')
@export()
var chosen = mapValues(defaults, group => toObject(filter(items(known), it => contains(group, it.key)), it => it.key, it => it.value))
