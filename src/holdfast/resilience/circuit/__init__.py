"""The circuit breaker's states and what they are decided by, without any waiting.

``Breaker`` is the state machine; ``holdfast.resilience.breaker`` is the policy that
puts it around a call. Everything here is synchronous and takes its time and its chance
from outside, so that all of it can be checked against a model.
"""

from holdfast.resilience.circuit.rules import Rules
from holdfast.resilience.circuit.states import Breaker, Outcome, Standing, State
from holdfast.resilience.circuit.window import Window

__all__ = ["Breaker", "Outcome", "Rules", "Standing", "State", "Window"]
