/**
 * XGBoost's JSON model (`save_model('model.json')`): boosted trees (gbtree, dart) or a linear booster, one score. Everything
 * is float32: values are rounded once here, as the library does when it loads the file.
 */

import type { LinearContent, TreeContent } from '../plan/model-plan.ts';
import { checkFeatureCount, checkTrees, ModelError, nameWarnings, parseLooseJson } from './model-problems.ts';
import type { FileInput, Iterations, ParsedModel } from './parsed-model.ts';
import { categoriesOf, type ListedCategories } from './xgboost-categories.ts';
import { baseMargin, xgboostObjective } from './xgboost-objectives.ts';
import { roundsThatCount, type TreeModel } from './xgboost-rounds.ts';
import { joinXgBoostTrees } from './xgboost-trees.ts';
import { setMaxima, splitKinds } from './tree-inputs.ts';

type Booster =
  | { readonly name: 'gbtree'; readonly model: TreeModel }
  | { readonly name: 'dart'; readonly gbtree: { readonly model: TreeModel }; readonly weight_drop: readonly number[] }
  | { readonly name: 'gblinear'; readonly model: { readonly weights: readonly number[] } };

interface Learner {
  readonly attributes?: Readonly<Record<string, string>>;
  readonly feature_names?: readonly string[];
  readonly feature_types?: readonly string[];
  readonly gradient_booster: Booster;
  readonly learner_model_param: Readonly<Record<string, string>>;
  readonly objective: { readonly name: string };
}

export function parseXgBoost(text: string, inputNames: readonly string[], iterations: Iterations): ParsedModel {
  const file = parseLooseJson(text);
  const learner = learnerOf(file);
  const { gradient_booster: booster, learner_model_param: parameters } = learner;
  const classes = Number(parameters['num_class'] ?? 0);
  if (classes > 1) throw new ModelError(`models of several classes are not supported: num_class=${classes}`);
  if (Number(parameters['num_target'] ?? 1) > 1) throw new ModelError('models of several targets are not supported');
  checkFeatureCount(Number(parameters['num_feature']), inputNames);
  const objective = xgboostObjective(learner.objective.name);
  const base = baseMargin(parameters['base_score'] ?? '0.5', objective);
  const warnings = nameWarnings(learner.feature_names ?? [], inputNames);
  const common = { link: objective.link, columnCategories: [] };
  if (booster.name === 'gblinear') {
    if (iterations !== undefined) throw new ModelError('the booster gblinear has no rounds: leave iterations out');
    const content = { ...linearContent(booster.model.weights, base, inputNames.length), link: objective.link };
    const inputs = inputNames.map((): FileInput => ({ kind: 'number', categories: null, categoryMax: -1 }));
    return { ...common, content, inputs, warnings };
  }
  const model = booster.name === 'dart' ? booster.gbtree.model : booster.model;
  const weights = booster.name === 'dart' ? booster.weight_drop : null;
  if (weights !== null && weights.length !== model.trees.length)
    throw new ModelError(`the file has ${model.trees.length} trees and ${weights.length} weights of dart`);
  const rounds = roundsThatCount(model, learner.attributes?.['best_iteration'], iterations);
  const joined = joinXgBoostTrees(model.trees.slice(0, rounds.trees), weights);
  const content: TreeContent = { kind: 'trees', ...joined, base, averages: false, link: objective.link, sigmoid: 1 };
  checkTrees(content, inputNames.length);
  const listed = categoriesOf(model.cats, inputNames.length, (file as { version?: readonly number[] }).version ?? []);
  const inputs = inputsOf(learner, listed, content);
  return {
    ...common,
    content,
    inputs,
    warnings: [...warnings, ...listWarnings(listed, inputNames), ...rounds.warnings],
  };
}

function listWarnings(listed: readonly ListedCategories[], inputNames: readonly string[]): string[] {
  return listed.flatMap((list, i) =>
    list === 'unreadable'
      ? [
          `the categories of ${inputNames[i]} cannot be read: XGBoost up to 3.2 writes names beyond ASCII wrongly; ` +
            'that categories: has the order of training is not checked',
        ]
      : [],
  );
}

function learnerOf(value: unknown): Learner {
  const learner = (value as { learner?: Learner } | null)?.learner;
  const booster: Booster | undefined = learner?.gradient_booster;
  const name: string | undefined = booster?.name;
  if (learner === undefined || booster === undefined || name === undefined)
    throw new ModelError('the file is no XGBoost model in JSON: it has no learner with a booster');
  if (booster.name === 'gbtree' && Array.isArray(booster.model?.trees)) return learner;
  if (booster.name === 'dart' && Array.isArray(booster.gbtree?.model?.trees) && Array.isArray(booster.weight_drop))
    return learner;
  if (booster.name === 'gblinear' && Array.isArray(booster.model?.weights)) return learner;
  if (['gbtree', 'dart', 'gblinear'].includes(name))
    throw new ModelError(`the file is no XGBoost model in JSON: its booster ${name} has no content`);
  throw new ModelError(`the booster ${name} is not supported: gbtree, dart and gblinear are`);
}

/** Weights by feature, then the bias; it and the base are one float32 before any input is added. */
function linearContent(weights: readonly number[], base: number, features: number): LinearContent {
  if (weights.length !== features + 1 || !weights.every((weight) => Number.isFinite(weight)))
    throw new ModelError(`the booster gblinear has ${weights.length} weights, it needs ${features + 1} numbers`);
  const singles = weights.map(Math.fround);
  return {
    kind: 'linear',
    intercept: Math.fround(singles[features] + base),
    weights: singles.slice(0, features),
    defaults: singles.slice(0, features).map(() => 0),
  };
}

function inputsOf(
  { feature_types: types = [] }: Learner,
  listed: readonly ListedCategories[],
  content: TreeContent,
): FileInput[] {
  const kinds = splitKinds(content, listed.length);
  const maxima = setMaxima(content, listed.length);
  return listed.map((list, i) => {
    const said = types[i] === undefined ? kinds[i] : types[i] === 'c' ? 'category' : 'number';
    const categories = list === 'unreadable' ? null : list;
    return { kind: list === null ? said : 'category', categories, categoryMax: maxima[i] };
  });
}
