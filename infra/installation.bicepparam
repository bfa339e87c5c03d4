using './installation.bicep'
extends './shared.bicepparam'

// For a resource group that somebody else made: rights on that group are enough.
