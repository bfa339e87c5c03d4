using './main.bicep'
extends './shared.bicepparam'
import { known } from './known.bicep'

// Production.

param resourceGroupName = known.?resource_group ?? ''
