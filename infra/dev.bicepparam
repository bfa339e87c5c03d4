using './main.bicep'
extends './main.bicepparam'

// To try things out at little cost: no instance that always runs, little memory, one copy of the data, no alert over a quiet
// weekend, and nobody who asks from outside.

param alwaysReadyHttpInstances = 0
param instanceMemoryMB = 512
param maximumInstanceCount = 40
param storageReplication = 'Standard_LRS'
param softDeleteDays = 1
param dailyLogQuotaGb = 1
param subscriptionSilentHours = 0
param availabilityTestLocations = []
