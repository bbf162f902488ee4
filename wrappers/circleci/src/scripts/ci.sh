# A value that is empty in the pipeline arrives as this text; it says nothing, so it goes.
for name in $(env | sed -n 's/^\(PILOTAGE_[A-Z_]*\)=<nil>$/\1/p'); do
  unset "$name"
done
pilotage ci
