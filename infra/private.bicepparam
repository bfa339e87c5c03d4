using './main.bicep'
extends './main.bicepparam'
import { chosen, defaults } from './known.bicep'

// Production with private addresses.

param network = { ...defaults.network, network_profile: 'private', ...chosen.network }
