# Units of this folder.
